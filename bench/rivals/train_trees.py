"""Trains 500 trees of 31 leaves with LightGBM on made-up data, and writes them as an ONNX graph: features -> probabilities."""
import sys

import lightgbm
import numpy as np
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

FEATURES = 30

rng = np.random.default_rng(20)
x = rng.normal(size=(20_000, FEATURES)).astype(np.float32)
score = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 3:].sum(axis=1) / np.sqrt(FEATURES - 3)
y = (score + rng.normal(scale=0.5, size=len(x)) > 0).astype(int)
model = lightgbm.LGBMClassifier(n_estimators=500, num_leaves=31, random_state=20, n_jobs=1, deterministic=True, verbose=-1)
model.fit(x, y)
graph = convert_lightgbm(model, initial_types=[("features", FloatTensorType([None, FEATURES]))], zipmap=False, target_opset=15)
with open(sys.argv[1], "wb") as file:
    file.write(graph.SerializeToString())
