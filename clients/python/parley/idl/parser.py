"""Reads one Thrift file. Annotations are kept; whether they make sense is for the server to say."""

from __future__ import annotations

from typing import Any, Callable

from parley.idl.lexer import Source, Token
from parley.idl.syntax import (
    Annotations,
    Const,
    Document,
    Enum,
    Field,
    Function,
    Member,
    Service,
    Struct,
    Typedef,
    TypeName,
)

MOST_DEPTH = 32


def parse(source: Source) -> Document:
    """What a file says.

    Raises:
        InvalidInput: it is not Thrift; the message says file, line, column and what was expected.
    """
    return _Parser(source).document()


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = list(source.tokens())
        self._next = 0
        self._depth = 0

    # ------------------------------------------------------------- the file

    def document(self) -> Document:
        made = Document(self._source.file)
        while self._peek().kind != "end":
            token = self._take()
            if token.text in ("include", "cpp_include") and token.kind == "name":
                file = self._literal()
                if token.text == "include":
                    made.includes.append(file)
            elif token.text == "namespace":
                self._namespace()
            else:
                self._define(made, token)
            self._skip_separators()
        return made

    def _namespace(self) -> None:
        if not self._skip("*"):
            self._name()
        self._take()  # a name or, in old files, a literal
        self._annotations()

    def _define(self, made: Document, token: Token) -> None:
        readers: dict[str, Callable[[], Any]] = {
            "struct": lambda: self._struct("struct"),
            "union": lambda: self._struct("union"),
            "exception": lambda: self._struct("exception"),
            "enum": self._enum,
            "typedef": self._typedef,
            "const": self._const,
            "service": self._service,
        }
        reader = readers.get(token.text) if token.kind == "name" else None
        if reader is None:
            raise self._expected("a definition such as struct, enum or service", token)
        at = self._peek()
        definition = reader()
        if definition.name in made.definitions:
            raise self._source.error(at.at, "is defined twice", definition.name)
        made.definitions[definition.name] = definition

    # ------------------------------------------------------------- definitions

    def _struct(self, kind: str) -> Struct:
        name = self._name()
        while self._peek().text.startswith("xsd_"):
            self._take()
        return Struct(kind, name, self._fields("{", "}"), self._annotations())

    def _enum(self) -> Enum:
        name = self._name()
        self._require("{")
        members: list[Member] = []
        while not self._skip("}"):
            member = self._name()
            value = self._integer() if self._skip("=") else (members[-1].value + 1 if members else 0)
            members.append(Member(member, value, self._annotations()))
            self._skip_separators()
        return Enum(name, tuple(members), self._annotations())

    def _typedef(self) -> Typedef:
        made = self._type()
        name = self._name()
        self._annotations()
        return Typedef(name, made)

    def _const(self) -> Const:
        made = self._type()
        name = self._name()
        self._require("=")
        return Const(name, made, self._value())

    def _service(self) -> Service:
        name = self._name()
        extends = self._name() if self._skip("extends") else None
        self._require("{")
        functions: list[Function] = []
        while not self._skip("}"):
            functions.append(self._function())
            self._skip_separators()
        return Service(name, extends, tuple(functions), self._annotations())

    def _function(self) -> Function:
        oneway = self._skip("oneway") or self._skip("async")
        result = None if self._skip("void") else self._type()
        name = self._name()
        arguments = self._fields("(", ")")
        throws = self._fields("(", ")") if self._skip("throws") else ()
        return Function(name, result, arguments, throws, oneway, self._annotations())

    def _fields(self, opening: str, closing: str) -> tuple[Field, ...]:
        self._require(opening)
        fields: list[Field] = []
        while not self._skip(closing):
            at = self._peek()
            field = self._field(-1 - len(fields))
            for other in fields:
                if other.id == field.id or other.name == field.name:
                    raise self._source.error(at.at, f"must have an id and a name of its own, unlike {other.name}")
            fields.append(field)
            self._skip_separators()
        return tuple(fields)

    def _field(self, default_id: int) -> Field:
        field_id = default_id
        if self._peek().kind == "number":
            field_id = self._integer()
            self._require(":")
        requiredness = "default"
        if self._peek().text in ("required", "optional"):
            requiredness = self._take().text
        made = self._type()
        self._skip("&")
        name = self._name()
        default = self._value() if self._skip("=") else None
        while self._peek().text in ("xsd_optional", "xsd_nillable"):
            self._take()
        return Field(field_id, name, made, requiredness, default, self._annotations())

    # ------------------------------------------------------------- types and values

    def _type(self) -> TypeName:
        self._enter()
        token = self._peek()
        name = self._name()
        parts: tuple[TypeName, ...] = ()
        if name in ("list", "set"):
            self._require("<", token)
            parts = (self._type(),)
            self._require(">")
        elif name == "map":
            self._require("<", token)
            key = self._type()
            self._require(",")
            parts = (key, self._type())
            self._require(">")
        self._depth -= 1
        return TypeName(name, parts, self._annotations())

    def _value(self) -> Any:
        self._enter()
        token = self._take()
        value: Any
        if token.text == "[" and token.kind == "mark":
            value = []
            while not self._skip("]"):
                value.append(self._value())
                self._skip_separators()
        elif token.text == "{" and token.kind == "mark":
            value = {}
            while not self._skip("}"):
                key = self._value()
                self._require(":")
                value[str(key)] = self._value()
                self._skip_separators()
        elif token.kind == "number":
            value = _number(token.text)
        elif token.kind in ("literal", "name"):
            value = token.text
        else:
            raise self._expected("a value", token)
        self._depth -= 1
        return value

    def _annotations(self) -> Annotations:
        made: Annotations = {}
        if not self._skip("("):
            return made
        while not self._skip(")"):
            key = self._name()
            made[key] = self._literal() if self._skip("=") else "1"
            self._skip_separators()
        return made

    # ------------------------------------------------------------- tokens

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._source.error(self._peek().at, f"is nested deeper than {MOST_DEPTH}")

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _skip(self, text: str) -> bool:
        token = self._peek()
        if token.kind in ("literal", "end") or token.text != text:
            return False
        self._next += 1
        return True

    def _skip_separators(self) -> None:
        while self._skip(",") or self._skip(";"):
            pass

    def _require(self, text: str, behind: Token | None = None) -> None:
        if not self._skip(text):
            place = "" if behind is None else f" behind {behind.text}"
            raise self._expected(f'"{text}"{place}', self._peek())

    def _name(self) -> str:
        token = self._take()
        if token.kind != "name":
            raise self._expected("a name", token)
        return token.text

    def _literal(self) -> str:
        token = self._take()
        if token.kind != "literal":
            raise self._expected("a text in quotes", token)
        return token.text

    def _integer(self) -> int:
        token = self._take()
        number = _number(token.text) if token.kind == "number" else None
        if not isinstance(number, int):
            raise self._expected("a whole number", token)
        return number

    def _expected(self, what: str, token: Token) -> Exception:
        return self._source.error(token.at, f"must be {what}", f'"{token.text[:40]}"')


def _number(text: str) -> float:
    if "x" in text:
        return int(text, 16)
    return float(text) if any(mark in text for mark in ".eE") else int(text)
