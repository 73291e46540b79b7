"""Which values of a struct cannot be sent, found when sending it has failed."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping
from typing import Any

from thrift.Thrift import TType

from parley.errors import Problem

MOST_PROBLEMS = 100
_BITS = {TType.BYTE: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}


def misfits(struct: Any) -> list[Problem]:
    """Each value of the arguments that does not fit its field's type, by the path that a server would name."""
    found: list[Problem] = []
    for problem in _of_struct("", struct, struct.thrift_spec):
        found.append(problem)
        if len(found) == MOST_PROBLEMS:
            break
    return found


def shortened(value: Any) -> str:
    """A value and its type, for a message."""
    text = repr(value)
    return f"{text if len(text) <= 64 else text[:60] + ' …'} ({type(value).__name__})"


def _of_struct(path: str, value: Any, spec: Any) -> Iterator[Problem]:
    for field in spec or ():
        if field is None:
            continue
        _, ttype, name, arguments, *_ = field
        inner = f"{path}.{name}" if path else name
        try:
            held = getattr(value, name)
        except AttributeError:
            yield Problem(path or name, f"must be a struct with the field {name}", shortened(value))
            return
        if held is not None:
            yield from _of_value(inner, held, ttype, arguments)


def _of_value(path: str, value: Any, ttype: int, arguments: Any) -> Iterator[Problem]:
    if ttype == TType.STRUCT:
        yield from _of_struct(path, value, arguments[1])
    elif ttype in (TType.LIST, TType.SET):
        yield from _of_items(path, value, arguments)
    elif ttype == TType.MAP:
        yield from _of_entries(path, value, arguments)
    else:
        must = _misfit(value, ttype, arguments)
        if must is not None:
            yield Problem(path, must, shortened(value))


def _of_items(path: str, value: Any, arguments: Any) -> Iterator[Problem]:
    try:
        items = list(value)
    except TypeError:
        yield Problem(path, "must be a list", shortened(value))
        return
    for index, item in enumerate(items):
        yield from _of_value(f"{path}[{index}]", item, arguments[0], arguments[1])


def _of_entries(path: str, value: Any, arguments: Any) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, "must be a mapping", shortened(value))
        return
    key_type, key_arguments, value_type, value_arguments = arguments[:4]
    for key, held in value.items():
        yield from _of_value(f"{path}[{key!r}]", key, key_type, key_arguments)
        yield from _of_value(f"{path}[{key!r}]", held, value_type, value_arguments)


def _misfit(value: Any, ttype: int, arguments: Any) -> str | None:
    """What the value must be; None when it is."""
    if ttype == TType.DOUBLE:
        return None if isinstance(value, numbers.Real) else "must be a number"
    bits = _BITS.get(ttype)
    if bits is not None:
        if not isinstance(value, numbers.Integral):
            return "must be a whole number"
        return None if -(1 << bits - 1) <= int(value) < 1 << bits - 1 else f"must fit {bits} bits"
    if ttype == TType.STRING and arguments != "BINARY":
        return _text_misfit(value)
    if ttype == TType.STRING:
        return None if isinstance(value, bytes) else "must be bytes"
    return None


def _text_misfit(value: Any) -> str | None:
    if not isinstance(value, str):
        return None if isinstance(value, bytes) else "must be text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "must be text that UTF-8 can write, without lone surrogates"
    return None
