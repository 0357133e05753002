"""A thread that tells Redis what happened, so that no request ever waits for Redis.

What is told may be lost: the database is the truth, and sweeps and polls find what went untold."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog

from chatsite.core import metrics

log = structlog.get_logger(__name__)

Send = Callable[[list[tuple[str, str]]], None]
Ring = Callable[[str], None]

# Enough for ten seconds of a busy process; beyond that the oldest announcement is dropped.
_MOST = 10_000
_BATCH = 200
_LOUD_EVERY = 30.0
# Enqueuing a task costs a millisecond here and one at its worker; bells that come sooner are one.
_RING_EVERY = 1.0


class Dispatcher:
    """Keeps announcements in order and rings each waiting bell once, on one daemon thread."""

    def __init__(self, *, send: Send, ring: Ring) -> None:
        self._send, self._ring = send, ring
        self._messages: deque[tuple[str, str]] = deque(maxlen=_MOST)
        self._bells: dict[str, None] = {}
        self._rung: dict[str, float] = {}
        self._in_haste = False
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._busy = False
        self._quiet_until = 0.0

    def publish(self, channel: str, message: str) -> None:
        """Have `message` published; returns at once."""
        with self._wake:
            self._messages.append((channel, message))
            self._start()

    def ring(self, bell: str) -> None:
        """Have the task `bell` enqueued, at most once a second; returns at once."""
        with self._wake:
            self._bells[bell] = None
            self._start()

    def flush(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until all is told; says whether it is."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._wake:
                self._in_haste = bool(self._bells)
                self._wake.notify()
                if not (self._messages or self._bells or self._busy):
                    return True
            time.sleep(0.005)
        return False

    def _start(self) -> None:
        if self._pid != os.getpid():  # a fork keeps the object and loses the thread
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="dispatch", daemon=True)
            self._thread.start()
            atexit.register(self.flush, 1.0)
        self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                while not (self._messages or self._due()):
                    self._wake.wait(_RING_EVERY if self._bells else None)
                self._busy = True
                bells = self._take_due()
                messages = [
                    self._messages.popleft() for _ in range(min(_BATCH, len(self._messages)))
                ]
            if messages:
                self._try(lambda messages=messages: self._send(messages))  # type: ignore[misc]
            for bell in bells:
                self._try(lambda bell=bell: self._ring(bell))  # type: ignore[misc]

    def _due(self) -> list[str]:
        now = time.monotonic()
        return [
            bell
            for bell in self._bells
            if self._in_haste or now >= self._rung.get(bell, 0.0) + _RING_EVERY
        ]

    def _take_due(self) -> list[str]:
        due, self._in_haste = self._due(), False
        for bell in due:
            del self._bells[bell]
            self._rung[bell] = time.monotonic()
        return due

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # the thread's edge: nothing here may end it
            metrics.UNTOLD.inc()
            if time.monotonic() >= self._quiet_until:
                self._quiet_until = time.monotonic() + _LOUD_EVERY
                log.warning("redis was not told", error=type(error).__name__)
