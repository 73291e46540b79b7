"""Two small networks, trained for a moment and exported by Keras, with inputs and Keras's own answers.

Usage: keras_networks.py FOLDER. Writes NAME.onnx and NAME.json for each network, and prints the versions that made them.
"""
import json
import os
import pathlib
import platform
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import onnx
import tensorflow
import tf2onnx
from keras import layers

folder = pathlib.Path(sys.argv[1])
keras.utils.set_random_seed(7)
random = np.random.default_rng(7)

made_by = {
    "python": platform.python_version(),
    "keras": keras.__version__,
    "tensorflow": tensorflow.__version__,
    "tf2onnx": tf2onnx.__version__,
    "onnx": onnx.__version__,
}


def told(array):
    return {"data_type": str(array.dtype), "shape": list(array.shape), "values": array.ravel().tolist()}


def write(name, model, asked):
    """The graph in one file, and for each of `asked`, which are lists of inputs, what Keras answers."""
    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(temporary) / "model.onnx"
        model.export(path, format="onnx", verbose=False)
        graph = onnx.load(path)
    onnx.checker.check_model(graph)
    (folder / f"{name}.onnx").write_bytes(graph.SerializeToString())
    inputs, outputs = [each.name for each in graph.graph.input], [each.name for each in graph.graph.output]
    calls = []
    for each in asked:
        answers = model(each if len(each) > 1 else each[0], training=False)
        answers = answers if isinstance(answers, (list, tuple)) else [answers]
        calls.append({
            "inputs": {key: told(value) for key, value in zip(inputs, each)},
            "outputs": {key: told(np.asarray(value)) for key, value in zip(outputs, answers)},
        })
    (folder / f"{name}.json").write_text(json.dumps({"made_by": made_by, "calls": calls}) + "\n")


def floats(*shape):
    return random.normal(size=shape).astype(np.float32)


image, extra = keras.Input((10, 10, 2), name="image"), keras.Input((3,), name="extra")
x = layers.Conv2D(8, 3, activation="relu", padding="same")(image)
x = layers.BatchNormalization()(x)
x = layers.DepthwiseConv2D(3, strides=2)(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Concatenate()([x, layers.Dense(4, activation="tanh")(extra)])
kind = layers.Dense(3, activation="softmax", name="kind")(x)
size = layers.Dense(1, name="size")(x)
two = keras.Model([image, extra], [kind, size])
two.compile("adam", loss=["sparse_categorical_crossentropy", "mse"])
given = [floats(32, 10, 10, 2), floats(32, 3)]
two.fit(given, [random.integers(0, 3, 32), floats(32, 1)], epochs=5, verbose=0)
write("keras_two_inputs", two, [[each[start:end] for each in given] for start, end in [(0, 4), (4, 5), (5, 12)]])

steps = keras.Input((None, 3), name="steps")
x = layers.LSTM(8, return_sequences=True)(steps)
x = layers.GRU(6)(x)
series = keras.Model(steps, layers.Dense(2, name="answer")(x))
series.compile("adam", loss="mse")
series.fit(floats(16, 9, 3), floats(16, 2), epochs=5, verbose=0)
write("keras_recurrent", series, [[floats(3, 9, 3)], [floats(1, 1, 3)], [floats(6, 17, 3)]])

print(json.dumps(made_by))
