"""What the web process knows of the server it runs in: whether it is being stopped."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import shutil
import sys
import tempfile
from typing import Any, Final

from django.conf import settings

_M_ARENA_MAX = -8  # malloc.h
_OBJECTS: Final = 5_000  # made between two looks for garbage among the newest
# prometheus_client looks for it when it is imported, once.
COUNTS: Final = "PROMETHEUS_MULTIPROC_DIR"

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


def switch_often() -> None:
    """Have a thread that waits for the interpreter get it within half a millisecond.

    Whoever comes back from the database waits for it while the event loop is at work: with Python's
    5 ms, and several returns a request, that was most of what a busy process added.
    """
    sys.setswitchinterval(0.0005)


def collect_seldom() -> None:
    """Look for garbage in what is made from now on, not in what was imported, and not so often.

    A look at everything holds all threads of the process; Python's 700 objects are one request.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS, 20, 20)
    gc.enable()


def count_in_files() -> None:
    """Have the workers of a web process count in files, where somebody is to read them.

    Before prometheus_client is imported. A reload goes on with the same files.
    """
    if settings.METRICS_PORT and COUNTS not in os.environ:
        os.environ[COUNTS] = tempfile.mkdtemp(prefix="chatsite-metrics-")


def forget_counts_of(pid: int) -> None:
    """A web worker ended: what it held open is not open any more; what it counted stays."""
    if COUNTS in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def remove_counts() -> None:
    """Remove the files at the end of the web process."""
    if COUNTS in os.environ:
        shutil.rmtree(os.environ[COUNTS], ignore_errors=True)
