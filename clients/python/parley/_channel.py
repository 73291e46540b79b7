"""Calls: context, deadline, retries, one connection of the pool for each attempt."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable

from parley._address import Address
from parley._connection import Connection, lost
from parley._deadline import latest_moment
from parley._gen import Operations
from parley._gen.ttypes import PingRequest, RequestContext
from parley._misfits import misfits
from parley._pool import Pool, closed_error
from parley._retry import MOST_ATTEMPTS, RetryBudget, fits, may_repeat, wait_s
from parley._wire import Malformed, decode_reply, encode_call
from parley.errors import (
    DeadlineExceeded,
    Internal,
    InvalidInput,
    ParleyError,
    ShuttingDown,
    Unreachable,
    invalid_input,
    received_error,
)


@dataclass(frozen=True)
class CallOptions:
    """What a call may be given beside its input.

    Attributes:
        timeout_ms: how long the answer is of use, retries included, in milliseconds; the client's own when None.
        request_id: names the call in the server's log; a random one when None.
        trace: W3C trace context, "traceparent" and "tracestate".
        idempotent: whether it may run twice; as the method says when None.
    """

    timeout_ms: float | None = None
    request_id: str | None = None
    trace: Mapping[str, str] | None = None
    idempotent: bool | None = None

    def with_(self, **changes: Any) -> CallOptions:
        """A copy with other values."""
        return replace(self, **changes)


NO_OPTIONS = CallOptions()


@dataclass(frozen=True)
class Method:
    """One method on the wire.

    Attributes:
        name: as the server knows it, "Service:method".
        result: the generated class of its result.
        idempotent: whether it may run twice.
        has_context: whether its arguments carry a RequestContext; where not, the connection shows the token before.
    """

    name: bytes
    result: Any
    idempotent: bool
    has_context: bool


_PING = Method(b"Operations:ping", Operations.ping_result, True, True)

# From the context's fields for this attempt, the struct of the arguments.
Arguments = Callable[[dict[str, Any]], Any]


class Channel:
    """Makes calls of any service; thread-safe."""

    def __init__(
        self,
        address: Address,
        *,
        token: str | None,
        pool_size: int,
        timeout_ms: float,
        retries: bool,
        most_frame_bytes: int,
        on_open: Callable[[Connection, float], None] | None = None,
    ) -> None:
        self.address = address
        self.timeout_ms = timeout_ms
        self._token = token
        self._most_frame_bytes = most_frame_bytes
        self._budget = RetryBudget() if retries else None
        self._on_open = on_open
        self._pool = Pool(self._open, pool_size)

    def close(self) -> None:
        """Ends all connections; pending calls fail with ClientClosed."""
        self._pool.close()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._pool.closed

    def call(self, method: Method, arguments: Arguments, options: CallOptions) -> Any:
        """Makes a call, again where it may be and that can help, and returns what the server answered.

        Raises:
            ParleyError: as the server says, or Unreachable, DeadlineExceeded, ClientClosed.
        """
        latest = latest_moment(self.timeout_ms if options.timeout_ms is None else options.timeout_ms)
        idempotent = method.idempotent if options.idempotent is None else options.idempotent
        context: dict[str, Any] = {"request_id": options.request_id or secrets.token_hex(8)}
        if self._token is not None:
            context["auth_token"] = self._token
        if options.trace:
            context["trace"] = dict(options.trace)
        if self._budget is not None:
            self._budget.call()
        attempt = 1
        while True:
            try:
                return self._attempt(method, arguments, context, latest)
            except ParleyError as error:
                error.request_id = error.request_id or context["request_id"]
                if not self._repeats(error, idempotent, attempt):
                    raise
                wait = wait_s(error, attempt)
                if not fits(wait, latest):
                    raise
            self._pool.sleep(wait)
            attempt += 1

    def _repeats(self, error: ParleyError, idempotent: bool, attempt: int) -> bool:
        if self._budget is None or attempt >= MOST_ATTEMPTS or not may_repeat(error, idempotent):
            return False
        return self._budget.take()

    def _attempt(self, method: Method, arguments: Arguments, context: dict[str, Any], latest: float) -> Any:
        connection = self._pool.take(latest)
        try:
            if self._token is not None and not method.has_context and not connection.shown_token:
                self._show_token(connection, latest)
            answer = exchange(connection, method, arguments, context, latest)
            connection.shown_token = connection.shown_token or method.has_context
        except ShuttingDown:
            self._pool.drop(connection, others_too=True)
            raise
        except (Unreachable, DeadlineExceeded, Malformed) as error:
            if isinstance(error, DeadlineExceeded) and error.received:
                self._pool.give(connection)
                raise
            self._pool.drop(connection, others_too=isinstance(error, Unreachable))
            if self._pool.closed:
                raise closed_error() from error
            if isinstance(error, Malformed):
                raise lost(self.address, f"it sent {error}") from error
            raise
        except ParleyError:
            self._pool.give(connection)
            raise
        except BaseException:
            self._pool.drop(connection)  # such as KeyboardInterrupt: a reply may still come
            raise
        self._pool.give(connection)
        return answer

    def _show_token(self, connection: Connection, latest: float) -> None:
        request = PingRequest(context=RequestContext(auth_token=self._token))
        exchange(connection, _PING, lambda _: Operations.ping_args(request=request), {}, latest)
        connection.shown_token = True

    def _open(self, latest: float) -> Connection:
        connection = Connection(self.address, latest, self._most_frame_bytes)
        try:
            if self._on_open is not None:
                self._on_open(connection, latest)
        except BaseException:
            connection.close()
            raise
        return connection


def exchange(
    connection: Connection, method: Method, arguments: Arguments, context: dict[str, Any], latest: float
) -> Any:
    """One call on one connection.

    Raises:
        ParleyError: as the server says, or what Connection.exchange raises.
        Malformed: the reply is none.
    """
    left_ms = int((latest - time.monotonic()) * 1000)
    struct = arguments({**context, "timeout_ms": max(1, min(left_ms, 0x7FFFFFFF))})
    sequence = connection.next_sequence()
    frame = _encoded(method, sequence, struct)
    return _outcome(method, decode_reply(connection.exchange(frame, latest), sequence, method.result))


def _encoded(method: Method, sequence: int, struct: Any) -> bytes:
    try:
        return encode_call(method.name, sequence, struct)
    except Exception as cause:
        found = misfits(struct)
        if found:
            raise invalid_input(found) from cause
        raise InvalidInput(f"the arguments of {method.name.decode()} cannot be sent: {cause}") from cause


def _outcome(method: Method, result: Any) -> Any:
    """What a result struct holds: the answer, or the exception that it carries."""
    is_void = True
    for spec in result.thrift_spec:
        if spec is None:
            continue
        value = getattr(result, spec[2])
        if spec[0] == 0:
            is_void = False
            if value is not None:
                return value
        elif value is not None:
            raise received_error(value)
    if is_void:
        return None
    raise Internal(f"{method.name.decode()} was answered with neither a result nor an error")
