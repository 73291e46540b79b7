"""Messages as bytes: framed Thrift's binary protocol, through thrift's C extension where it is there.

What is read is bounded first: its sizes by the frame, its depth by MOST_DEPTH. The C extension counts the depth only
of structs that it knows.
"""

from __future__ import annotations

import struct
from typing import Any

from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.protocol.TProtocol import TProtocolException
from thrift.Thrift import TApplicationException
from thrift.transport.TTransport import TMemoryBuffer

from parley.errors import Internal, NotFound, ParleyError, Unsupported

MOST_DEPTH = 64
# What is smaller cannot be nested so deep that the C extension's stack ends.
_SHALLOW_BYTES = 1024

_VERSION, _CALL, _REPLY, _EXCEPTION = 0x80010000, 1, 2, 3
_STRING, _STRUCT, _MAP, _SET, _LIST = 11, 12, 13, 14, 15
# Bytes of a value by its type; 0: it depends.
_WIDTHS = [{2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8, 16: 16}.get(kind, 0) for kind in range(256)]
_SIZE = struct.Struct(">I").unpack_from


class Malformed(Exception):
    """Bytes that the protocol does not allow: the connection cannot be trusted any more."""


def encode_call(name: bytes, sequence: int, arguments: Any) -> bytes:
    """A whole frame, its length included.

    Raises:
        Exception: of whichever kind, when a value does not fit its field; misfits.py says which.
    """
    buffer = TMemoryBuffer()
    arguments.write(TBinaryProtocolAccelerated(buffer))
    body = buffer.getvalue()
    head = struct.pack(f">III{len(name)}sI", 12 + len(name) + len(body), _VERSION | _CALL, len(name), name, sequence)
    return head + body


def decode_reply(frame: bytes, sequence: int, result: Any) -> Any:
    """Reads a reply into an instance of the method's result struct, and returns it.

    Args:
        frame: without its length.
        result: the class of the struct.

    Raises:
        Malformed: the frame is no reply to this call.
        ParleyError: the server does not know the method, or could not read the call.
    """
    try:
        version, name_length = struct.unpack_from(">Ii", frame)
        if version & 0xFFFFFF00 != _VERSION or not 0 <= name_length <= len(frame) - 12:
            raise Malformed("not a message of the binary protocol")
        at = 12 + name_length
        if struct.unpack_from(">I", frame, 8 + name_length)[0] != sequence:
            raise Malformed("a reply to another call")
        if len(frame) > _SHALLOW_BYTES:
            check_depth(frame, at)
        buffer = TMemoryBuffer(frame)
        buffer.cstringio_buf.seek(at)
        protocol = TBinaryProtocolAccelerated(buffer, string_length_limit=len(frame), container_length_limit=len(frame))
        kind = version & 0xFF
        if kind == _EXCEPTION:
            problem = TApplicationException()
            problem.read(protocol)
            raise _application_error(problem)
        if kind != _REPLY:
            raise Malformed(f"a message of type {kind}, which is no reply")
        answer = result()
        answer.read(protocol)
        return answer
    except (struct.error, EOFError, TProtocolException, OverflowError, TypeError, ValueError, MemoryError) as cause:
        raise Malformed(str(cause) or type(cause).__name__) from cause


def _application_error(error: TApplicationException) -> ParleyError:
    """The server's word that it cannot make sense of a call, as one of ours."""
    message = f"the server does not take the call: {error.message}"
    if error.type == TApplicationException.UNKNOWN_METHOD:
        return NotFound(message)
    if error.type in (TApplicationException.INTERNAL_ERROR, TApplicationException.PROTOCOL_ERROR):
        return Internal(message, retryable=False)
    return Unsupported(message)


def check_depth(frame: bytes, at: int, most: int = MOST_DEPTH) -> int:
    """Walks over the struct at `at` without making anything of it; returns where it ends.

    Raises:
        Malformed: it is nested deeper than `most`, or longer than its frame.
    """
    try:
        end = _pass(frame, at, _STRUCT, most)
    except (IndexError, struct.error):
        end = len(frame) + 1
    if end > len(frame):
        raise Malformed("a value that is longer than its frame")
    return end


def _pass(frame: bytes, at: int, kind: int, depth: int) -> int:
    """Where the value of a type that begins at `at` ends; what is beyond the frame is the caller's to see.

    Hot: a reply of 1,000 rows has some 14,000 fields. Sizes are read unsigned, so that the position only grows.
    """
    if kind == _STRING:
        return at + 4 + _SIZE(frame, at)[0]
    if depth == 0:
        raise Malformed(f"a value that is nested deeper than {MOST_DEPTH}")
    if kind == _STRUCT:
        while True:
            inner = frame[at]
            if inner == 0:
                return at + 1
            width = _WIDTHS[inner]
            if width:
                at += 3 + width
            elif inner == _STRING:
                at += 7 + _SIZE(frame, at + 3)[0]
            else:
                at = _pass(frame, at + 3, inner, depth - 1)
    if kind in (_LIST, _SET):
        count, inner = _SIZE(frame, at + 1)[0], frame[at]
        width = _WIDTHS[inner]
        at += 5
        if width:
            return at + count * width
        for _ in range(count):
            at = _pass(frame, at, inner, depth - 1)
        return at
    if kind == _MAP:
        return _pass_map(frame, at, depth - 1)
    raise Malformed(f"a value of type {kind}, which there is not")


def _pass_map(frame: bytes, at: int, depth: int) -> int:
    kinds, count = (frame[at], frame[at + 1]), _SIZE(frame, at + 2)[0]
    widths = _WIDTHS[kinds[0]], _WIDTHS[kinds[1]]
    at += 6
    if widths[0] and widths[1]:
        return at + count * (widths[0] + widths[1])
    for _ in range(count):
        for kind, width in zip(kinds, widths):
            at = at + width if width else _pass(frame, at, kind, depth)
    return at


def accelerated() -> bool:
    """Whether thrift's C extension is there; without it everything works, many times slower."""
    protocol: Any | None = TBinaryProtocolAccelerated(TMemoryBuffer())
    return getattr(protocol, "_fast_encode", None) is not None
