"""What a Thrift file says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Union

Annotations = dict[str, str]


@dataclass(frozen=True)
class TypeName:
    """A type as written: a base type's name, a defined one's, or list, set or map with what is in it."""

    name: str
    parts: tuple[TypeName, ...] = ()
    annotations: Annotations = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return f"{self.name}<{', '.join(map(str, self.parts))}>" if self.parts else self.name


@dataclass(frozen=True)
class Field:
    """One of a struct's fields, or a method's argument."""

    id: int
    name: str
    type: TypeName
    requiredness: str = "default"
    default: Any = None
    annotations: Annotations = field(default_factory=dict)


@dataclass(frozen=True)
class Struct:
    """`kind`: struct, union or exception."""

    kind: str
    name: str
    fields: tuple[Field, ...]
    annotations: Annotations = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """One value of an enum."""

    name: str
    value: int
    annotations: Annotations = field(default_factory=dict)

    @property
    def label(self) -> str:
        """As data spell it."""
        return self.annotations.get("label", self.name)


@dataclass(frozen=True)
class Enum:
    """Members in the order of the text."""

    name: str
    members: tuple[Member, ...]
    annotations: Annotations = field(default_factory=dict)


@dataclass(frozen=True)
class Typedef:
    """Another name for a type."""

    name: str
    type: TypeName


@dataclass(frozen=True)
class Const:
    """A value with a name; the value is a number, a text, a list, a dict, or the name of another one."""

    name: str
    type: TypeName
    value: Any


@dataclass(frozen=True)
class Function:
    """A service's method; `result` is None for void."""

    name: str
    result: TypeName | None
    arguments: tuple[Field, ...]
    throws: tuple[Field, ...]
    oneway: bool = False
    annotations: Annotations = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """`extends` is another service's name, with its file's where that is another one."""

    name: str
    extends: str | None
    functions: tuple[Function, ...]
    annotations: Annotations = field(default_factory=dict)


Definition = Union[Struct, Enum, Typedef, Const, Service]


@dataclass
class Document:
    """One file."""

    file: str
    includes: list[str] = field(default_factory=list)
    definitions: dict[str, Definition] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """How other files call it: `parley` for `idl/parley.thrift`."""
        return stem_of(self.file)


def stem_of(file: str) -> str:
    """The name that an included file's definitions are known under."""
    name = file.replace("\\", "/").rpartition("/")[2]
    return name[: -len(".thrift")] if name.endswith(".thrift") else name
