"""What a contract's types are on the wire, and how values come there and back.

A kind makes of a caller's value what thrift's encoder takes (`to_wire`), and of what its decoder made what a caller
reads (`from_wire`). What does not fit is a Problem; ranges, vocabularies and patterns are the server's to check.
"""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from thrift.Thrift import TType

from parley._misfits import shortened
from parley.errors import Problem

Problems = list[Problem]


def is_missing(value: Any) -> bool:
    """None, NaN, and pandas' NA and NaT."""
    if value is None:
        return True
    if isinstance(value, numbers.Real):
        return bool(value != value)
    return type(value).__name__ in ("NAType", "NaTType")


class Kind:
    """One type. `ttype` and `arguments` are its part of a thrift_spec."""

    ttype: int = 0
    arguments: Any = None
    must: str = ""

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        """The value for the encoder; None, with a problem more, when it does not fit."""
        raise NotImplementedError

    def from_wire(self, value: Any) -> Any:
        """What a caller sees."""
        return value

    def refuse(self, value: Any, path: str, problems: Problems) -> None:
        """Notes that a value does not fit."""
        problems.append(Problem(path, self.must, shortened(value)))


class Double(Kind):
    """`double`: any real number, NaN included where it stands in a list."""

    ttype = TType.DOUBLE
    must = "must be a number"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            return float(value)
        return self.refuse(value, path, problems)


class Whole(Kind):
    """`byte` to `i64`: whole numbers, also as floats, which a column with missing values has."""

    def __init__(self, ttype: int, bits: int) -> None:
        self.ttype = ttype
        self._least, self._most = -(1 << bits - 1), (1 << bits - 1) - 1
        self.must = f"must be a whole number of {bits} bits"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            number: Any = value
            if self._least <= number <= self._most and int(number) == number:
                return int(number)
        return self.refuse(value, path, problems)


class Bool(Kind):
    """`bool`: True or False, numpy's too."""

    ttype = TType.BOOL
    must = "must be True or False"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
            return bool(value)
        return self.refuse(value, path, problems)


class Text(Kind):
    """`string`."""

    ttype = TType.STRING
    arguments = "UTF8"
    must = "must be text"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        return value if isinstance(value, str) else self.refuse(value, path, problems)


class Binary(Kind):
    """`binary`: bytes, or a numpy array, whose elements are sent row by row and little-endian."""

    ttype = TType.STRING
    arguments = "BINARY"
    must = "must be bytes or an array of numbers"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        data_type = getattr(value, "dtype", None)
        if data_type is not None and data_type.kind in "biuf":
            return value.astype(data_type.newbyteorder("<")).tobytes()
        return self.refuse(value, path, problems)


class EnumKind(Kind):
    """An enum: a label, a member's name or its number goes in, its label comes out."""

    ttype = TType.I32

    def __init__(self, members: Iterable[tuple[int, str, str]]) -> None:
        """`members`: number, name and label."""
        listed = list(members)
        self.labels = {number: label for number, _, label in listed}
        self._numbers: dict[Any, int] = {name: number for number, name, _ in listed}
        self._numbers.update({label: number for number, _, label in listed})
        self._numbers.update({number: number for number, _, _ in listed})
        self.must = f"must be one of {', '.join(label for number, _, label in listed if number != 0)}"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        known = isinstance(value, (str, numbers.Integral)) and not isinstance(value, bool)
        number = self._numbers.get(value) if known else None
        return self.refuse(value, path, problems) if number is None else number

    def from_wire(self, value: Any) -> Any:
        # A number that this contract does not know stays one, so that nobody takes it for a label.
        return self.labels.get(value, value)


class ListKind(Kind):
    """`list` and `set`: any iterable but text; a numpy array too."""

    def __init__(self, item: Kind, is_set: bool = False) -> None:
        self.item = item
        self.ttype = TType.SET if is_set else TType.LIST
        self.arguments = (item.ttype, item.arguments, False)
        self.must = "must be a list"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
            return self.refuse(value, path, problems)
        items = value.tolist() if hasattr(value, "tolist") else value
        to_wire = self.item.to_wire
        return [to_wire(item, f"{path}[{index}]", problems) for index, item in enumerate(items)]

    def from_wire(self, value: Any) -> Any:
        return [self.item.from_wire(item) for item in value]


class MapKind(Kind):
    """`map`."""

    ttype = TType.MAP
    must = "must be a mapping"

    def __init__(self, key: Kind, value: Kind) -> None:
        self.key = key
        self.value = value
        self.arguments = (key.ttype, key.arguments, value.ttype, value.arguments, False)

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        if hasattr(value, "to_dict"):
            value = value.to_dict()
        if not isinstance(value, Mapping):
            return self.refuse(value, path, problems)
        return {
            self.key.to_wire(key, f"{path}[{key!r}]", problems): self.value.to_wire(held, f"{path}[{key!r}]", problems)
            for key, held in value.items()
            if not is_missing(held)
        }

    def from_wire(self, value: Any) -> Any:
        return {self.key.from_wire(key): self.value.from_wire(held) for key, held in value.items()}


class Opaque(Kind):
    """A struct of parley.thrift, which has a generated class: it goes through as it is."""

    ttype = TType.STRUCT

    def __init__(self, generated: Any) -> None:
        self.generated = generated
        self.arguments = [generated, generated.thrift_spec]
        self.must = f"must be a {generated.__name__}"

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        return value if isinstance(value, self.generated) else self.refuse(value, path, problems)


def nearest(name: str, names: Iterable[str]) -> str:
    """A question to put behind an unknown name; empty when nothing is near."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def hidden(got: str | None, sensitive: bool) -> str | None:
    """What may be shown of a value."""
    return "a value that is not shown" if sensitive and got is not None else got
