"""What goes wrong, as exceptions: one subclass of ParleyError for each error code of a server.

Two more are the client's own: Unreachable, when no answer came, and ClientClosed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

__all__ = [
    "ClientClosed",
    "Conflict",
    "ContractMismatch",
    "DeadlineExceeded",
    "Internal",
    "InvalidInput",
    "ModelBroken",
    "NotAccepted",
    "NotFound",
    "Overloaded",
    "ParleyError",
    "PermissionDenied",
    "Problem",
    "ShuttingDown",
    "StoreUnavailable",
    "Unauthenticated",
    "Unreachable",
    "Unsupported",
]


class Problem:
    """One thing wrong with an input: where it stands, what it must be, what was there (shortened)."""

    __slots__ = ("got", "message", "path")

    def __init__(self, path: str, message: str, got: str | None = None) -> None:
        self.path = path
        self.message = message
        self.got = got

    def __str__(self) -> str:
        return f"{self.path} {self.message}" + ("" if self.got is None else f", got {self.got}")

    def __repr__(self) -> str:
        return f"Problem(path={self.path!r}, message={self.message!r}, got={self.got!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash((self.path, self.message, self.got))


class ParleyError(Exception):
    """A call that did not succeed.

    Attributes:
        code: the error code's name, such as "INVALID_INPUT".
        message: where, what was expected, what was there and what to do.
        retryable: whether the very same call may simply be made again.
        retry_after_ms: how long a server asks to wait first, in milliseconds; None when it says nothing.
        problems: everything that is wrong with the input.
        request_id: names the call in the server's log.
        received: whether it is a server's answer; False: the client's own finding.
    """

    code: ClassVar[str] = "INTERNAL"
    retryable: bool = False
    received: bool = False

    def __init__(
        self,
        message: str,
        *,
        problems: Iterable[Problem] = (),
        retry_after_ms: int | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.problems = list(problems)
        self.retry_after_ms = retry_after_ms
        self.request_id = request_id
        if retryable is not None:
            self.retryable = retryable

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before the next attempt; None when the server says nothing of it."""
        return None if self.retry_after_ms is None else self.retry_after_ms / 1000

    def __str__(self) -> str:
        if len(self.problems) < 2:
            return self.message
        shown = [f"\n  {problem}" for problem in self.problems[:20]]
        more = len(self.problems) - len(shown)
        return self.message + "".join(shown) + (f"\n  and {more} more" if more > 0 else "")

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle their positional arguments only, and these travel between processes.
        return (_restored, (type(self), self.message, self.__dict__))


def _restored(kind: type[ParleyError], message: str, state: dict[str, Any]) -> ParleyError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class InvalidInput(ParleyError):
    """The input does not fit the contract; `problems` says where."""

    code = "INVALID_INPUT"


class NotFound(ParleyError):
    """There is no such model, version, alias, service or prediction."""

    code = "NOT_FOUND"


class Unauthenticated(ParleyError):
    """No token, or one that the server does not know."""

    code = "UNAUTHENTICATED"


class PermissionDenied(ParleyError):
    """The token has no right to do this."""

    code = "PERMISSION_DENIED"


class Overloaded(ParleyError):
    """A queue is full; wait `retry_after` seconds."""

    code = "OVERLOADED"
    retryable = True


class DeadlineExceeded(ParleyError):
    """The call's time was up: in the server before it ran, or here before the answer came."""

    code = "DEADLINE_EXCEEDED"
    retryable = True


class ContractMismatch(ParleyError):
    """A model or this client does not fit the contract; `problems` are the differences that break."""

    code = "CONTRACT_MISMATCH"


class NotAccepted(ParleyError):
    """The version has not passed its contract's acceptance suite."""

    code = "NOT_ACCEPTED"


class Conflict(ParleyError):
    """An expected state had already changed, or an alias is held."""

    code = "CONFLICT"


class StoreUnavailable(ParleyError):
    """The server cannot reach its Redis; loaded models go on serving."""

    code = "STORE_UNAVAILABLE"
    retryable = True


class ModelBroken(ParleyError):
    """The stored bytes do not match their digest, or the graph cannot be run."""

    code = "MODEL_BROKEN"


class ShuttingDown(ParleyError):
    """The server is draining; another one will answer."""

    code = "SHUTTING_DOWN"
    retryable = True


class Unsupported(ParleyError):
    """Valid, and this server cannot do it."""

    code = "UNSUPPORTED"


class Internal(ParleyError):
    """A defect of the server; details are in its log under `request_id`."""

    code = "INTERNAL"
    retryable = True


class Unreachable(ParleyError):
    """No connection, or it was lost before the answer came. The client's own.

    Attributes:
        sent: whether the call may have run.
    """

    code = "UNREACHABLE"
    retryable = True
    sent: bool = False


class ClientClosed(ParleyError):
    """The client was closed before the answer came. The client's own."""

    code = "CLIENT_CLOSED"


# By number, as ErrorCode of idl/parley.thrift has them.
BY_NUMBER: dict[int, type[ParleyError]] = dict(
    enumerate(
        (
            InvalidInput,
            NotFound,
            Unauthenticated,
            PermissionDenied,
            Overloaded,
            DeadlineExceeded,
            ContractMismatch,
            NotAccepted,
            Conflict,
            StoreUnavailable,
            ModelBroken,
            ShuttingDown,
            Unsupported,
            Internal,
        ),
        start=1,
    )
)


def received_error(struct: Any) -> ParleyError:
    """The exception for a ParleyError struct, of whichever generated class."""
    kind = BY_NUMBER.get(getattr(struct, "code", None) or 0, Internal)
    problems = [Problem(p.path or "", p.message or "", p.got) for p in getattr(struct, "problems", None) or ()]
    error = kind(
        getattr(struct, "message", None) or "the server gave no reason",
        problems=problems,
        retry_after_ms=getattr(struct, "retry_after_ms", None),
        request_id=getattr(struct, "request_id", None),
        retryable=getattr(struct, "retryable", None),
    )
    error.received = True
    return error


def invalid_input(problems: list[Problem]) -> InvalidInput:
    """With the first problem as its message, and all beside it."""
    more = len(problems) - 1
    others = f" (and {more} more problem{'s' if more > 1 else ''})" if more > 0 else ""
    return InvalidInput(f"{problems[0]}{others}", problems=problems)
