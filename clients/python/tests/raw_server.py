"""A server that answers bytes of the test's choice: what no real one would send, and what was asked of it."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Any, Callable

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

# From a call's frame, what is sent back; None: nothing, and the connection ends.
Answer = Callable[[bytes], "bytes | None"]


class RawServer:
    """Listens on the loopback until it is closed; remembers every call's frame."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.frames: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while (head := _exactly(connection, 4)) is not None:
                frame = _exactly(connection, struct.unpack(">i", head)[0])
                if frame is None:
                    return
                self.frames.append(frame)
                reply = self._answer(frame)
                if reply is None:
                    return
                connection.sendall(reply)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        try:
            chunk = connection.recv(size - len(data))
        except OSError:
            return None
        if not chunk:
            return None
        data += chunk
    return data


def framed(frame: bytes) -> bytes:
    return struct.pack(">i", len(frame)) + frame


def head_of(frame: bytes) -> tuple[str, int]:
    """The method's name and the sequence id of a call."""
    size = struct.unpack_from(">i", frame, 4)[0]
    return frame[8 : 8 + size].decode(), struct.unpack_from(">i", frame, 8 + size)[0]


def reply_to(frame: bytes, result: Any) -> bytes:
    """A framed reply with this result, a generated struct or the bytes of one."""
    name, sequence = head_of(frame)
    body = result
    if not isinstance(result, bytes):
        buffer = TMemoryBuffer()
        result.write(TBinaryProtocol(buffer))
        body = buffer.getvalue()
    head = struct.pack(f">Ii{len(name)}si", 0x80010002, len(name), name.encode(), sequence)
    return framed(head + body)


def arguments_of(frame: bytes, kind: Any) -> Any:
    """What a call asked, as its generated struct."""
    size = struct.unpack_from(">i", frame, 4)[0]
    made = kind()
    made.read(TBinaryProtocol(TMemoryBuffer(frame[12 + size :])))
    return made
