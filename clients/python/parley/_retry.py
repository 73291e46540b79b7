"""When a call is made again: only where that is right, within a budget, and not all callers at once."""

from __future__ import annotations

import random
import threading
import time

from parley.errors import ClientClosed, DeadlineExceeded, Overloaded, ParleyError, ShuttingDown, Unreachable

MOST_ATTEMPTS = 4
FIRST_WAIT_S = 0.02
LONGEST_WAIT_S = 2.0


class RetryBudget:
    """A token bucket: each call puts in a tenth, each retry takes one. So retries add at most 10 % to a lasting load.

    Thread-safe.
    """

    def __init__(self, ratio: float = 0.1, most: float = 10.0) -> None:
        self._ratio = ratio
        self._most = most
        self._tokens = most
        self._lock = threading.Lock()

    def call(self) -> None:
        """Counts a call that was begun."""
        with self._lock:
            self._tokens = min(self._most, self._tokens + self._ratio)

    def take(self) -> bool:
        """Whether one more retry may be made; it is counted."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def may_repeat(error: ParleyError, idempotent: bool) -> bool:
    """Whether the same call may be made again after this error.

    What was refused before it ran may be repeated always; what may have run only if running twice changes nothing.
    """
    if not error.retryable or isinstance(error, (ClientClosed, DeadlineExceeded)):
        return False
    if isinstance(error, (Overloaded, ShuttingDown)):
        return True
    if isinstance(error, Unreachable) and not error.sent:
        return True
    return idempotent


def wait_s(error: ParleyError, attempt: int) -> float:
    """Seconds to wait behind attempt `attempt` (from 1): what the server asks for, else a doubling time. Jittered."""
    asked = error.retry_after
    if asked is not None:
        return asked * random.uniform(1, 1.25)
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1))
    return longest * random.uniform(0.5, 1)


def fits(wait: float, latest: float, now: float | None = None) -> bool:
    """Whether there is time for a wait and anything after it."""
    return (time.monotonic() if now is None else now) + wait < latest
