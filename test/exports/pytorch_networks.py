"""Three small networks, trained for a moment and exported by PyTorch, with inputs and PyTorch's own answers.

Usage: pytorch_networks.py FOLDER. Writes NAME.onnx and NAME.json for each network, and prints the versions that made them.
"""
import io
import json
import pathlib
import platform
import sys

import numpy as np
import onnx
import onnxscript
import torch
from torch import nn

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(7)
torch.set_num_threads(1)
random = np.random.default_rng(7)


class Digits(nn.Module):
    """Images to scores: convolutions, normalization, pooling."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.SiLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )
        self.head = nn.Linear(64, 3)

    def forward(self, image):
        return torch.softmax(self.head(self.body(image)), dim=1)


class Reader(nn.Module):
    """Tokens of any length to a score for each of them, and one vector for all: a transformer's block."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.feed = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.score = nn.Linear(16, 4)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
        x = x + self.feed(x)
        return self.score(x), x.mean(dim=1)


class Series(nn.Module):
    """A series of any length to its next value, and the state after it: an LSTM."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 12, batch_first=True)
        self.next = nn.Linear(12, 1)

    def forward(self, series):
        out, (state, _) = self.lstm(series)
        return self.next(out[:, -1]), state


def floats(*shape):
    return torch.tensor(random.normal(size=shape).astype(np.float32))


def tokens(*shape):
    return torch.tensor(random.integers(0, 20, shape))


def trained(model, inputs, loss, steps=20):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(inputs)).backward()
        optimizer.step()
    return model.eval()


def told(tensor):
    names = {torch.float32: "float32", torch.int64: "int64"}
    return {"data_type": names[tensor.dtype], "shape": list(tensor.shape), "values": tensor.flatten().tolist()}


def write(name, model, asked, axes, inputs, outputs, **more):
    """The graph in one file, and for each of `asked` what PyTorch answers."""
    target = io.BytesIO()
    torch.onnx.export(model, (asked[0],), target, input_names=inputs, output_names=outputs, **axes, **more)
    graph = onnx.load_from_string(target.getvalue())
    # A producer's stack traces say where it ran, and are of no use to a reader.
    for each in [graph.graph, *graph.functions]:
        for holder in [each, *each.node, *each.value_info, *getattr(each, "input", []), *getattr(each, "output", [])]:
            if hasattr(holder, "metadata_props"):
                del holder.metadata_props[:]
            if hasattr(holder, "doc_string"):
                holder.doc_string = ""
    onnx.checker.check_model(graph)
    (folder / f"{name}.onnx").write_bytes(graph.SerializeToString())
    calls = []
    with torch.no_grad():
        for each in asked:
            answers = model(each)
            answers = answers if isinstance(answers, tuple) else (answers,)
            calls.append({
                "inputs": {inputs[0]: told(each)},
                "outputs": {key: told(value) for key, value in zip(outputs, answers)},
            })
    (folder / f"{name}.json").write_text(json.dumps({"made_by": made_by, "calls": calls}) + "\n")


made_by = {
    "python": platform.python_version(),
    "torch": torch.__version__,
    "onnx": onnx.__version__,
    "onnxscript": onnxscript.__version__,
}

images, labels = floats(32, 1, 12, 12), torch.tensor(random.integers(0, 3, 32))
digits = trained(Digits(), images, lambda out: nn.functional.nll_loss(torch.log(out), labels))
batch = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
write("pytorch_conv", digits, [images[:4], images[:1], images[4:11]], batch, ["image"], ["probabilities"])

texts, answers = tokens(16, 7), torch.tensor(random.integers(0, 4, (16, 7)))
reader = trained(Reader(), texts, lambda out: nn.functional.cross_entropy(out[0].transpose(1, 2), answers))
both = {"dynamic_shapes": ({0: torch.export.Dim("batch"), 1: torch.export.Dim("length")},)}
write("pytorch_attention", reader, [texts[:3], tokens(1, 2), tokens(5, 13)], both, ["tokens"], ["scores", "summary"])

series, following = floats(16, 9, 3), floats(16, 1)
lstm = trained(Series(), series, lambda out: nn.functional.mse_loss(out[0], following))
# The exporter of old, which most graphs out there come from; its LSTM is one node.
old = {"dynamic_axes": {"series": {0: "batch", 1: "length"}, "next": {0: "batch"}, "state": {1: "batch"}}}
write("pytorch_lstm", lstm, [series[:4], floats(1, 1, 3), floats(7, 20, 3)], old, ["series"], ["next", "state"], dynamo=False)

print(json.dumps(made_by))
