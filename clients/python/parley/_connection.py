"""One connection to a server. It carries one call at a time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time

from parley._address import Address
from parley._wire import Malformed
from parley.errors import DeadlineExceeded, Unreachable

_CHUNK = 65_536


class Connection:
    """Frames out, frames in. After any error it is of no more use: a late reply would be taken for the next call's.

    Attributes:
        shown_token: whether the server has been shown the token on it.
    """

    def __init__(self, address: Address, latest: float, most_frame_bytes: int) -> None:
        """Connects.

        Raises:
            Unreachable: nobody listens there, or they cannot be trusted.
            DeadlineExceeded: not before `latest`.
        """
        self.address = address
        self.shown_token = False
        self._most_frame_bytes = most_frame_bytes
        self._sequence = 0
        self._ended = False
        self._socket = _connected(address, latest)

    def next_sequence(self) -> int:
        """The id of the next call."""
        self._sequence = (self._sequence + 1) & 0x7FFFFFFF
        return self._sequence

    def exchange(self, frame: bytes, latest: float) -> bytes:
        """Sends a whole frame and returns the reply's, without its length.

        Raises:
            Unreachable: the connection was lost.
            DeadlineExceeded: no reply before `latest`.
            Malformed: what came is no frame.
        """
        began = time.monotonic()
        try:
            self._wait_until(latest)
            self._socket.sendall(frame)
            return self._receive(latest)
        except (TimeoutError, socket.timeout) as cause:
            waited = round((time.monotonic() - began) * 1000)
            raise DeadlineExceeded(f"{self.address} did not answer within {waited} ms") from cause
        except OSError as cause:
            raise lost(self.address, str(cause)) from cause

    def _receive(self, latest: float) -> bytes:
        got = self._more(latest, _CHUNK)
        while len(got) < 4:
            got += self._more(latest, _CHUNK)
        size: int = struct.unpack_from(">i", got)[0]
        if not 0 < size <= self._most_frame_bytes:
            raise Malformed(f"a frame of {size} bytes; at most {self._most_frame_bytes} are taken")
        if len(got) == size + 4:
            return got[4:]
        if len(got) > size + 4:
            raise Malformed("more than the reply that was asked for")
        whole = bytearray(size)
        whole[: len(got) - 4] = memoryview(got)[4:]
        view, filled = memoryview(whole), len(got) - 4
        while filled < size:
            self._wait_until(latest)
            count = self._socket.recv_into(view[filled:])
            if count == 0:
                raise lost(self.address, "it was closed in the middle of a reply")
            filled += count
        return bytes(whole)

    def _more(self, latest: float, most: int) -> bytes:
        self._wait_until(latest)
        chunk = self._socket.recv(most)
        if not chunk:
            raise lost(self.address, "the server has closed it")
        return chunk

    def _wait_until(self, latest: float) -> None:
        left = latest - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    @property
    def stale(self) -> bool:
        """Whether an idle connection has ended meanwhile, or says something that nobody asked for."""
        if self._ended:
            return True
        if isinstance(self._socket, ssl.SSLSocket):
            return False  # what can be read may be the session's own; the next call tells
        try:
            self._socket.setblocking(False)
            self._socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Ends it and frees its socket; only for whoever has it."""
        self.interrupt()
        self._socket.close()

    def interrupt(self) -> None:
        """Ends it under the thread that has a call on it, which then closes it."""
        self._ended = True
        with contextlib.suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)


def lost(address: Address, reason: str) -> Unreachable:
    """A call went out, and nobody can say whether it ran."""
    error = Unreachable(f"the connection to {address} was lost: {reason}")
    error.sent = True
    return error


def _connected(address: Address, latest: float) -> socket.socket:
    left = latest - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded(f"no time is left to connect to {address}")
    plain: socket.socket | None = None
    try:
        plain = socket.create_connection((address.host, address.port), left)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(max(0.001, latest - time.monotonic()))
        return plain if address.tls is None else address.tls.wrap_socket(plain, server_hostname=address.host)
    except (TimeoutError, socket.timeout) as cause:
        _close(plain)
        raise DeadlineExceeded(f"{address} could not be reached within {round(left * 1000)} ms") from cause
    except ssl.SSLCertVerificationError as cause:
        _close(plain)
        error = Unreachable(f"{address} cannot be trusted: {cause.verify_message}; is ca= its authority?")
        error.retryable = False
        raise error from cause
    except OSError as cause:
        _close(plain)
        hint = "; does it speak TLS?" if isinstance(cause, ssl.SSLError) else ""
        raise Unreachable(f"no server answers at {address}: {cause}{hint}") from cause


def _close(plain: socket.socket | None) -> None:
    if plain is not None:
        plain.close()
