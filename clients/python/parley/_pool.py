"""The client's connections: as many as calls are made at once, up to a bound."""

from __future__ import annotations

import os
import threading
import time
from typing import Callable

from parley._connection import Connection
from parley.errors import ClientClosed, DeadlineExceeded

Open = Callable[[float], Connection]


class Pool:
    """Thread-safe. The latest used connection is the next one, so that those that are too many grow old and go."""

    def __init__(self, open_one: Open, size: int) -> None:
        """Opens nothing yet.

        Args:
            open_one: makes a connection, before the moment that it is given.
            size: how many there may be at once, and so how many calls.
        """
        self._open = open_one
        self._size = size
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._opening = 0
        self._process = os.getpid()

    def take(self, latest: float) -> Connection:
        """A connection for one call; hand it back with `give` or `drop`.

        Raises:
            ClientClosed: the pool is closed.
            DeadlineExceeded: all are in use, until `latest`.
            Unreachable: there is none, and none can be made.
        """
        with self._changed:
            self._forget_parents()
            while True:
                self._require_open()
                connection = self._fresh_idle()
                if connection is not None:
                    self._busy.add(connection)
                    return connection
                if len(self._busy) + self._opening < self._size:
                    self._opening += 1
                    break
                left = latest - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise DeadlineExceeded(f"all {self._size} connections were in use; a larger pool_size allows more")
        return self._opened(latest)

    def _opened(self, latest: float) -> Connection:
        connection = None
        try:
            connection = self._open(latest)
        finally:
            with self._changed:
                self._opening -= 1
                if connection is not None and not self.closed:
                    self._busy.add(connection)
                else:
                    self._changed.notify()
        if self.closed:
            connection.close()
            raise closed_error()
        return connection

    def give(self, connection: Connection) -> None:
        """Takes back a connection whose call was answered."""
        with self._changed:
            self._busy.discard(connection)
            if not self.closed:
                self._idle.append(connection)
                self._changed.notify()
                return
        connection.close()

    def drop(self, connection: Connection, others_too: bool = False) -> None:
        """Closes a connection that cannot be used again; with it those that wait, when the server has gone away."""
        with self._changed:
            self._busy.discard(connection)
            gone = [connection]
            if others_too:
                gone += self._idle
                self._idle = []
            self._changed.notify()
        for each in gone:
            each.close()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._closed.is_set()

    def sleep(self, seconds: float) -> None:
        """Waits, and no longer than until the pool is closed.

        Raises:
            ClientClosed: it was.
        """
        if self._closed.wait(seconds):
            raise closed_error()

    def close(self) -> None:
        """Ends all connections; calls that wait on one fail with ClientClosed."""
        with self._changed:
            self._closed.set()
            idle, self._idle = self._idle, []
            busy = list(self._busy)
            self._changed.notify_all()
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.interrupt()

    def _require_open(self) -> None:
        if self.closed:
            raise closed_error()

    def _fresh_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.stale:
                return connection
            connection.close()
        return None

    def _forget_parents(self) -> None:
        """In a forked process the connections are the parent's."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        self._idle, self._busy, self._opening = [], set(), 0


def closed_error() -> ClientClosed:
    """What every call gets from then on."""
    return ClientClosed("the client is closed")
