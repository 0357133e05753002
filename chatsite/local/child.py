"""One child process: it cannot outlive us, and its output is read line by line."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from chatsite.local.console import Console
from chatsite.local.process import Process

_PR_SET_PDEATHSIG = 1
_LONGEST_LINE = 64 * 1024
# Loaded before any fork: between fork and exec hardly anything is safe.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A process that was started, in a group of its own so that Ctrl-C reaches only us."""

    def __init__(
        self, process: Process, *, environment: Mapping[str, str], directory: Path, console: Console
    ) -> None:
        self.process, self._console = process, console
        self.is_buried = False
        self._began = time.monotonic()
        self._rest = b""
        parent = os.getpid()
        self._popen = subprocess.Popen(
            process.command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # We have no threads, so running Python between fork and exec is safe.
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509
        )
        assert self._popen.stdout is not None
        self._pipe = self._popen.stdout.fileno()
        os.set_blocking(self._pipe, False)
        asyncio.get_running_loop().add_reader(self._pipe, self._read)

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self._began

    def status(self) -> int | None:
        """How it ended, as subprocess says it; None while it runs."""
        return self._popen.poll()

    def ask_to_end(self) -> None:
        """SIGTERM, for the process alone: how its own children end is its affair."""
        if self.status() is None:
            self._popen.terminate()

    def kill(self) -> None:
        """SIGKILL for it and for what it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Once it has ended: hand on its last words, and end what it has left behind."""
        if self.is_buried:
            return
        self.is_buried = True
        self.kill()
        self._read()
        self._tell(self._rest)
        asyncio.get_running_loop().remove_reader(self._pipe)
        assert self._popen.stdout is not None
        self._popen.stdout.close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while read := os.read(self._pipe, _LONGEST_LINE):
                self._hand_on(read)
            asyncio.get_running_loop().remove_reader(self._pipe)

    def _hand_on(self, read: bytes) -> None:
        *lines, self._rest = (self._rest + read).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._tell(line)

    def _tell(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if text and not any(words in text for words in self.process.untold):
            self._console.line(self.process.name, text)


def _die_with(parent: int) -> None:
    """Ask Linux for SIGKILL when the parent dies, even by SIGKILL itself."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)
