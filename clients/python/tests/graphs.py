"""ONNX files by hand."""

from __future__ import annotations

import struct

# TensorProto.DataType
TYPES = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "string": 8,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _value_info(name: str, kind: int, width: int) -> bytes:
    extents = _field(1, _field(2, "rows")) + _field(1, _field(1, width))
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, extents)))


def identity_graph(kinds: list[str], width: int) -> bytes:
    """Inputs `in_<kind>` of the shape (rows, width), and as outputs `out_<kind>` the same."""
    graph = b""
    for kind in kinds:
        graph += _node("Identity", [f"in_{kind}"], f"out_{kind}")
    graph += _field(2, "same")
    for kind in kinds:
        graph += _field(11, _value_info(f"in_{kind}", TYPES[kind], width))
    for kind in kinds:
        graph += _field(12, _value_info(f"out_{kind}", TYPES[kind], width))
    return _model(graph)


def slow_graph(terms: int) -> bytes:
    """`x` of the shape (rows, 1) to `y`, the sum of so many sines of it: small to send, dear to run."""
    graph = _node("Expand", ["x", "many"], "wide") + _node("Sin", ["wide"], "sines")
    graph += _node("ReduceSum", ["sines", "axes"], "y") + _field(2, "slow")
    graph += _field(5, _int64s("many", [1, terms])) + _field(5, _int64s("axes", [1]))
    graph += _field(11, _value_info("x", TYPES["float32"], 1)) + _field(12, _value_info("y", TYPES["float32"], 1))
    return _model(graph)


def _node(operator: str, inputs: list[str], output: str) -> bytes:
    return _field(1, b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, operator))


def _int64s(name: str, values: list[int]) -> bytes:
    return (
        _field(1, len(values))
        + _field(2, TYPES["int64"])
        + _field(8, name)
        + _field(9, struct.pack(f"<{len(values)}q", *values))
    )


def _model(graph: bytes) -> bytes:
    return _field(1, 8) + _field(8, _field(1, "") + _field(2, 17)) + _field(7, graph)
