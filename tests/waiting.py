"""Waiting for what is to come about, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WITHIN = 90.0  # seconds that anything may take, on a busy machine
_PAUSE = 0.02


def wait_until(find: Callable[[], T], what: str = "it happens", within: float = WITHIN) -> T:
    """Ask until `find` gives something true, and give it back.

    Raises TimeoutError with `what` after `within` seconds.
    """
    deadline = time.monotonic() + within
    while not (found := find()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(_PAUSE)
    return found
