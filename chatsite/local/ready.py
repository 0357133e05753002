"""Waits until the product is ready, and tells the person at the terminal where to go."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chatsite.local.console import Console

_SECONDS = 60.0
_PAUSE = 0.1
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104


@dataclass(slots=True)
class Welcome:
    """The block that is shown once all is ready; `shown` runs after it."""

    console: Console
    host: str
    port: int
    model: str
    login: str
    shown: Callable[[], None]
    began: float = field(default_factory=time.monotonic)

    async def __call__(self) -> None:
        """Wait, then show it, or say what is amiss."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                while await status(self.address, self.port, "/health/ready") != 200:
                    await asyncio.sleep(_PAUSE)
                await self._show()
                return
        where = f"{self._base}/health/ready"
        self.console.warn(f"Not ready after {_SECONDS:g} s; {where} says what is missing.")

    @property
    def address(self) -> str:
        """Where a client on this machine reaches the web process."""
        return _ANYWHERE.get(self.host, self.host.strip("[]"))

    @property
    def _base(self) -> str:
        name = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{name}:{self.port}"

    async def _show(self) -> None:
        has_demo = await status(self.address, self.port, "/") == 200
        rows = [("Demo", f"{self._base}/")] if has_demo else []
        rows += [
            ("Docs", f"{self._base}/api/docs"),
            ("Admin", f"{self._base}/admin/{self.login}"),
            ("Health", f"{self._base}/health"),
            ("Model", self.model),
        ]
        seconds = time.monotonic() - self.began
        self.console.block(f"Chatsite is ready ({seconds:.1f} s)", rows, "Ctrl-C stops it.")
        self.shown()


async def status(address: str, port: int, path: str) -> int:
    """The HTTP status of a GET; 0 where nothing answers.

    By hand, because a client library would bring threads into a process that forks.
    """
    try:
        reader, writer = await asyncio.open_connection(address, port)
    except OSError:
        return 0
    try:
        host = f"[{address}]" if ":" in address else address
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        words = (await reader.readline()).split()
        return int(words[1]) if len(words) > 1 else 0
    except (OSError, ValueError):
        return 0
    finally:
        writer.close()
