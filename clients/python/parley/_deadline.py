"""How long an answer is of use, on time.monotonic()'s clock."""

from __future__ import annotations

import contextlib
import contextvars
import time
from collections.abc import Iterator

_LATEST: contextvars.ContextVar[float | None] = contextvars.ContextVar("parley_deadline", default=None)


@contextlib.contextmanager
def deadline(timeout_ms: float) -> Iterator[None]:
    """All calls in the block, together, have so many milliseconds; an outer block's deadline holds too.

    It belongs to the current context (contextvars): threads started in the block do not inherit it.
    """
    latest, outer = time.monotonic() + timeout_ms / 1000, _LATEST.get()
    token = _LATEST.set(latest if outer is None else min(latest, outer))
    try:
        yield
    finally:
        _LATEST.reset(token)


def latest_moment(timeout_ms: float) -> float:
    """When a call that begins now must have its answer."""
    latest, outer = time.monotonic() + timeout_ms / 1000, _LATEST.get()
    return latest if outer is None else min(latest, outer)
