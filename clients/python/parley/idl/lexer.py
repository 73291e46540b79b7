"""A Thrift file's tokens, with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from parley.errors import InvalidInput, Problem

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | //[^\n]* | \#[^\n]* | /\*.*?\*/)
  | (?P<literal>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*')
  | (?P<number>[+-]?(?:0x[0-9A-Fa-f]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))
  | (?P<name>[A-Za-z_](?:[\w.\-]*\w)?)
  | (?P<mark>[{}()<>\[\],;:=*&])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


class Token(NamedTuple):
    """`kind`: literal, number, name, mark or end. `text` of a literal is what it says, without its quotes."""

    kind: str
    text: str
    at: int


class Source:
    """A file's text, and how its places are told."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    def tokens(self) -> Iterator[Token]:
        """In order, with one of kind "end" behind the last.

        Raises:
            InvalidInput: something that is no token.
        """
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                raise self.error(at, "is not Thrift here", repr(self.text[at : at + 20]))
            kind = match.lastgroup or ""
            if kind == "literal":
                yield Token(kind, _unescaped(match.group()[1:-1]), at)
            elif kind != "space":
                yield Token(kind, match.group(), at)
            at = match.end()
        yield Token("end", "the end of the file", at)

    def error(self, at: int, message: str, got: str | None = None) -> InvalidInput:
        """An error that says file, line and column, both from 1."""
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        problem = Problem(f"{self.file}:{line}:{column}", message, got)
        return InvalidInput(str(problem), problems=[problem])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group()), text, flags=re.DOTALL)
