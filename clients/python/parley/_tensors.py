"""numpy arrays and Tensors of parley.thrift: dense, row by row, little-endian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parley._gen.ttypes import DataType, Tensor
from parley._misfits import shortened
from parley.errors import Internal, InvalidInput, Problem

if TYPE_CHECKING:
    import numpy

_BYTES = {"float32": 4, "float64": 8, "float16": 2, "int8": 1, "int16": 2, "int32": 4, "int64": 8}
_BYTES.update({"uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "bool": 1})
NUMBERS = {name.lower(): number for name, number in DataType._NAMES_TO_VALUES.items() if number != 0}
NAMES = {number: name for name, number in NUMBERS.items()}


def to_tensor(name: str, array: Any) -> Tensor:
    """An array as a tensor; one copy of its bytes.

    Args:
        array: a numpy array of numbers, bools, or text (dtype str, or object with str in it).

    Raises:
        InvalidInput: of a type that tensors do not have.
    """
    shape = list(array.shape)
    if array.dtype.kind in "OUT":
        return Tensor(name=name, data_type=DataType.STRING, shape=shape, strings=_texts(name, array))
    number = NUMBERS.get(array.dtype.name)
    if number is None:
        known = ", ".join(_BYTES)
        raise _refused(name, f"must be an array of {known} or text", str(array.dtype))
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return Tensor(name=name, data_type=number, shape=shape, data=little.tobytes())


def _texts(name: str, array: Any) -> list[str]:
    texts: list[str] = array.ravel().tolist()
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise _refused(f"{name}[{index}]", "must be text, since the array holds objects", shortened(text))
    return texts


def from_tensor(tensor: Tensor) -> numpy.ndarray[Any, Any]:
    """A tensor as an array. Numbers are a read-only view of the bytes that came, text an array of str objects.

    Raises:
        Internal: the tensor contradicts itself.
    """
    import numpy

    name, shape = tensor.name or "", tuple(tensor.shape or ())
    kind = NAMES.get(tensor.data_type)
    count = 1
    for extent in shape:
        count *= extent
    if kind == "string":
        strings = tensor.strings or []
        if len(strings) != count:
            raise Internal(f"output {name}: {len(strings)} strings for the shape {shape}")
        texts = numpy.empty(count, dtype=object)
        texts[:] = strings
        return texts.reshape(shape)
    if kind is None:
        raise Internal(f"output {name}: data type {tensor.data_type}, which this client does not know")
    data = tensor.data or b""
    if len(data) != count * _BYTES[kind] or count < 0:
        raise Internal(f"output {name}: {len(data)} bytes for the shape {shape} of {kind}")
    return numpy.frombuffer(data, dtype=numpy.dtype(kind).newbyteorder("<")).reshape(shape)


def as_array(name: str, values: Any, kind: str | None) -> Any:
    """Plain values as an array of an input's type.

    Args:
        kind: the data type that the model takes, such as "float32".

    Raises:
        InvalidInput: they are no such values, or rows of different lengths.
    """
    import numpy

    if kind == "string":
        texts = numpy.asarray(values, dtype=object)
        to_tensor(name, texts)
        return texts
    try:
        return numpy.asarray(values, dtype=kind)
    except (ValueError, TypeError, OverflowError) as cause:
        raise _refused(name, f"must be values of {kind}: {cause}", shortened(values)) from cause


def _refused(path: str, message: str, got: str) -> InvalidInput:
    problem = Problem(path, message, got)
    return InvalidInput(str(problem), problems=[problem])
