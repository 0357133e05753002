"""Whether the product is ready, asked of its web process; and where a person should go then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chatsite.local.console import Console

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104  (not bound)


@dataclass(frozen=True, slots=True)
class Web:
    """The web process as a client on this machine reaches it."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return f"http://{self._name}:{self.port}"

    @property
    def _address(self) -> str:
        return _ANYWHERE.get(self.host, self.host.strip("[]"))

    @property
    def _name(self) -> str:
        return f"[{self._address}]" if ":" in self._address else self._address

    async def is_ready(self) -> bool:
        """Whether all that an answer needs is there."""
        return await self.has("/health/ready")

    async def has(self, path: str) -> bool:
        """Whether a GET of this path answers 200.

        By hand, because a client library would bring threads into a process that forks.
        """
        try:
            reader, writer = await asyncio.open_connection(self._address, self.port)
        except OSError:
            return False
        try:
            lines = f"GET {path} HTTP/1.1", f"Host: {self._name}", "Connection: close", "", ""
            writer.write("\r\n".join(lines).encode())
            return b" 200 " in await reader.readline()
        except (OSError, ValueError):
            return False
        finally:
            writer.close()


@dataclass(slots=True)
class Welcome:
    """What is shown once all is ready; `shown` runs after it."""

    console: Console
    web: Web
    model: str
    login: str
    shown: Callable[[], None]
    began: float = field(default_factory=time.monotonic)

    async def __call__(self) -> None:
        """Show it."""
        rows = [("Demo", f"{self.web.url}/")] if await self.web.has("/") else []
        rows += [
            ("Docs", f"{self.web.url}/api/docs"),
            ("Admin", f"{self.web.url}/admin/{self.login}"),
            ("Health", f"{self.web.url}/health"),
            ("Model", self.model),
        ]
        is_ready = await self.web.is_ready()
        seconds = time.monotonic() - self.began
        title = (
            f"Chatsite is ready ({seconds:.1f} s)" if is_ready else "Chatsite runs, not ready yet"
        )
        self.console.block(title, rows, "Ctrl-C stops it.")
        self.shown()
