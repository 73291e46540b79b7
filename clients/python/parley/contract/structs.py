"""A contract's structs as classes that thrift's encoder and decoder take, made from the text at run time."""

from __future__ import annotations

import dataclasses
import keyword
from collections.abc import Iterable, Mapping
from typing import Any

from thrift.protocol.TBase import TBase
from thrift.Thrift import TType

from parley._gen import ttypes
from parley._misfits import shortened
from parley.contract.kinds import (
    Binary,
    Bool,
    Double,
    EnumKind,
    Kind,
    ListKind,
    MapKind,
    Opaque,
    Problems,
    Text,
    Whole,
    hidden,
    is_missing,
    nearest,
)
from parley.errors import InvalidInput, Problem
from parley.idl import Document, Program
from parley.idl.program import GENERIC
from parley.idl.syntax import Const, Enum, Field, Service, Struct, Typedef, TypeName

MOST_NESTING = 16
_BASE = {
    "bool": Bool(),
    "byte": Whole(TType.BYTE, 8),
    "i8": Whole(TType.BYTE, 8),
    "i16": Whole(TType.I16, 16),
    "i32": Whole(TType.I32, 32),
    "i64": Whole(TType.I64, 64),
    "double": Double(),
    "string": Text(),
    "binary": Binary(),
}


class Member:
    """One field of a struct."""

    __slots__ = ("annotations", "id", "kind", "name", "sensitive")

    def __init__(self, field: Field, kind: Kind) -> None:
        self.id = field.id
        self.name = field.name
        self.kind = kind
        self.annotations = field.annotations
        self.sensitive = field.annotations.get("sensitive") in ("true", "1")

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        """As its kind has it; a sensitive value is in no message."""
        if not self.sensitive:
            return self.kind.to_wire(value, path, problems)
        inner: Problems = []
        made = self.kind.to_wire(value, path, inner)
        problems += [Problem(p.path, p.message, hidden(p.got, True)) for p in inner]
        return made


class StructKind(Kind):
    """A struct: a mapping by field name goes in, a frozen dataclass comes out."""

    ttype = TType.STRUCT

    def __init__(self, name: str, members: Iterable[Member], is_union: bool = False) -> None:
        self.name = name
        self.members = {member.name: member for member in members}
        self.is_union = is_union
        self.wire_class = wire_class(name, [(m.id, m.name, m.kind) for m in self.members.values()])
        self.arguments = [self.wire_class, self.wire_class.thrift_spec]
        self.must = f"must be a {name}: a mapping of {', '.join(self.members)}"
        self._answer = _answer_class(name, self.members)

    def to_wire(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, self._answer):
            value = vars(value)
        if not isinstance(value, Mapping):
            return self.refuse(value, path, problems)
        made = self.wire_class()
        for name, held in value.items():
            member = self.members.get(name)
            inner = f"{path}.{name}"
            if member is None:
                message = f"is no field of {self.name}{nearest(str(name), self.members)}"
                problems.append(Problem(inner, message))
            elif not is_missing(held):
                made.__dict__[name] = member.to_wire(held, inner, problems)
        if self.is_union and len(made.__dict__) > 1:
            problems.append(Problem(path, f"must have one of {', '.join(self.members)} only", shortened(value)))
        return made

    def from_wire(self, value: Any) -> Any:
        held = value.__dict__
        return self._answer(
            *[member.kind.from_wire(held[name]) if name in held else None for name, member in self.members.items()]
        )


def wire_class(name: str, fields: Iterable[tuple[int, str, Kind]]) -> Any:
    """A class with the thrift_spec of these fields. What an instance does not have is None, from the class."""
    listed = list(fields)
    spec: list[Any] = [None] * (max((field_id for field_id, _, _ in listed), default=0) + 1)
    for field_id, field_name, kind in listed:
        if not 0 <= field_id <= 0x7FFF:
            raise InvalidInput(f"{name}.{field_name} has the id {field_id}; write one from 1 to 32767")
        spec[field_id] = (field_id, kind.ttype, field_name, kind.arguments, None)
    space: dict[str, Any] = {field_name: None for _, field_name, _ in listed}
    return type(name, (TBase,), {**space, "thrift_spec": tuple(spec)})


class _Answer:
    """What answers have in common."""

    @property
    def prediction_id(self) -> Any:
        """Names this answer when its true label arrives; None when the server sent none."""
        for value in vars(self).values():
            if isinstance(value, ttypes.Provenance):
                return value.prediction_id
        return None


def _answer_class(name: str, members: Iterable[str]) -> Any:
    names = [f"{member}_" if keyword.iskeyword(member) else member for member in members]
    return dataclasses.make_dataclass(name, [(each, Any) for each in names], bases=(_Answer,), frozen=True)


class Kinds:
    """Makes kinds of a program's types; each struct once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._made: dict[tuple[str, str], Kind] = {}
        self._making: list[str] = []

    def of(self, type_name: TypeName, document: Document) -> Kind:
        """The kind of a type as written in a document.

        Raises:
            InvalidInput: there is no such type, or one that contains itself.
        """
        if type_name.name in _BASE:
            return _BASE[type_name.name]
        if type_name.name in ("list", "set"):
            return ListKind(self.of(type_name.parts[0], document), type_name.name == "set")
        if type_name.name == "map":
            return MapKind(self.of(type_name.parts[0], document), self.of(type_name.parts[1], document))
        definition, home = self._program.require(type_name, document)
        key = (home.file, definition.name)
        if key not in self._made:
            self._made[key] = self._make(definition, home)
        return self._made[key]

    def _make(self, definition: Any, home: Document) -> Kind:
        name = definition.name
        if name in self._making or len(self._making) > MOST_NESTING:
            raise InvalidInput(
                f"{' has '.join((*self._making, name))}: types that contain themselves are not supported"
            )
        self._making.append(name)
        try:
            if isinstance(definition, Typedef):
                return self.of(definition.type, home)
            if isinstance(definition, Enum):
                return EnumKind((member.value, member.name, member.label) for member in definition.members)
            if isinstance(definition, Struct):
                return self._struct(definition, home)
        finally:
            self._making.pop()
        assert isinstance(definition, (Const, Service))
        raise InvalidInput(f"{home.file}: {name} is no type")

    def _struct(self, definition: Struct, home: Document) -> Kind:
        generated = getattr(ttypes, definition.name, None)
        if home.file == GENERIC or home.stem == "parley":
            if generated is None:
                raise InvalidInput(
                    f"this client's parley.thrift has no {definition.name}; it may be older than the contract"
                )
            return Opaque(generated)
        members = [Member(field, self.of(field.type, home)) for field in definition.fields]
        return StructKind(definition.name, members, definition.kind == "union")
