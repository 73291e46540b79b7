"""A contract and every file that it includes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Callable

from parley.errors import InvalidInput
from parley.idl.lexer import Source
from parley.idl.parser import parse
from parley.idl.syntax import Definition, Document, Service, TypeName, stem_of

GENERIC = "parley.thrift"
MOST_FILES = 256
_GENERIC_FILE = Path(__file__).parent.parent / "_gen" / GENERIC

# The text of an included file, by its name as written and the file that includes it; and its own name.
Find = Callable[[str, str], tuple[str, str]]


class Program:
    """A contract's files, read; names are resolved from the file where they stand."""

    def __init__(self, text: str, file: str, find: Find) -> None:
        self.text = text
        self.includes: dict[str, str] = {}
        self._documents: dict[str, Document] = {}
        self._visible: dict[str, dict[str, Document]] = {}
        self._find = find
        self.main = self._read(text, file, ())

    def services(self) -> dict[str, tuple[Service, Document]]:
        """The contract's own, by name; what parley.thrift has is not among them."""
        return {
            name: (definition, self.main)
            for name, definition in self.main.definitions.items()
            if isinstance(definition, Service)
        }

    def resolve(self, name: str, document: Document) -> tuple[Definition, Document] | None:
        """What a name means in a document, and where that stands; None: nothing."""
        definition = document.definitions.get(name)
        if definition is not None:
            return definition, document
        stem, dot, inner = name.partition(".")
        other = self._visible[document.file].get(stem) if dot else None
        found = None if other is None else other.definitions.get(inner)
        return None if found is None or other is None else (found, other)

    def require(self, type_name: TypeName, document: Document) -> tuple[Definition, Document]:
        """As resolve().

        Raises:
            InvalidInput: there is no such type.
        """
        found = self.resolve(type_name.name, document)
        if found is None:
            raise InvalidInput(f'{document.file} has no type "{type_name.name}", nor do the files that it includes')
        return found

    def _read(self, text: str, file: str, above: tuple[str, ...]) -> Document:
        if file in above:
            raise InvalidInput(f"{' includes '.join((*above[above.index(file) :], file))}: that has no end")
        if file in self._documents:
            return self._documents[file]
        if len(self._documents) >= MOST_FILES:
            raise InvalidInput(f"{above[0]} includes more than {MOST_FILES} files")
        document = parse(Source(file, text))
        self._documents[file] = document
        visible = self._visible[file] = {}
        for name in document.includes:
            inner_text, inner_file = self._find(name, file)
            if stem_of(name) != stem_of(GENERIC):
                self.includes[name] = inner_text
            visible[stem_of(name)] = self._read(inner_text, inner_file, (*above, file))
        return document


def load_file(path: str | os.PathLike[str]) -> Program:
    """Reads a contract; what it includes stands beside it, parley.thrift in this package.

    Raises:
        InvalidInput: it is not Thrift, or an included file is missing.
        OSError: the file cannot be read.
    """
    file = os.fspath(path)
    return Program(Path(file).read_text(encoding="utf-8"), file, _beside)


def load_text(text: str, includes: Mapping[str, str], file: str = "contract.thrift") -> Program:
    """Reads a contract that came as text, with the texts of what it includes by their names.

    Raises:
        InvalidInput: it is not Thrift, or an included file is missing.
    """

    def find(name: str, by: str) -> tuple[str, str]:
        if name in includes:
            return includes[name], name
        if stem_of(name) == stem_of(GENERIC):
            return _generic()
        raise InvalidInput(f'{by} includes "{name}", whose text is missing')

    return Program(text, file, find)


def _beside(name: str, by: str) -> tuple[str, str]:
    path = Path(by).parent / name
    if path.is_file():
        return path.read_text(encoding="utf-8"), os.fspath(path)
    if stem_of(name) == stem_of(GENERIC):
        return _generic()
    raise InvalidInput(f'{by} includes "{name}", and there is no file {path}')


def _generic() -> tuple[str, str]:
    return _GENERIC_FILE.read_text(encoding="utf-8"), GENERIC
