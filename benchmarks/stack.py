"""The product that is measured: its processes, with a provider, a floor and a database."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.system import databases, processes

# Every limit stands, and counts, far above what is asked here.
SETTINGS = {
    "RATE_LIMITING_ENABLED": "on",
    "CHAT_RATE_LIMIT": "1000000/minute",
    "CHAT_ADDRESS_RATE_LIMIT": "1000000/minute",
    "AUTH_RATE_LIMIT": "1000000/minute",
    "MESSAGE_LIMIT": "1000000",
    "BACKLOG_LIMIT": "5000",
    # So that each visitor has an address of their own, as behind a proxy.
    "TRUSTED_PROXIES": "127.0.0.1",
}


class Stack(processes.Stack):
    """All of the product's processes, with a provider that costs little."""

    def __init__(self, folder: Path, *, database_url: str, **settings: str) -> None:
        super().__init__(folder, database_url=database_url, **{**SETTINGS, **settings})
        self.database_url = database_url
        provider_port = self.provider_url.rpartition(":")[2]
        self["provider"].command[1:] = ["-m", "benchmarks.provider", provider_port]

    def groups(self) -> dict[str, list[int]]:
        """The processes by what they do."""
        alone = {
            name: [self[name].pid]
            for name in ("replies", "notifications", "beat", "broker", "provider")
        }
        return {"web": self.web_workers(), **alone, **self._backends()}

    def _backends(self) -> dict[str, list[int]]:
        if not self.database_url.startswith("postgres"):
            return {}
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return {"postgresql": [pid for (pid,) in connection.execute(asked).fetchall()]}


class Floor:
    """The process that calls litellm from one bare loop."""

    def __init__(self, stack: Stack) -> None:
        self._base = f"{stack.provider_url}/v1"
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.floor"],
            cwd=processes.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def load(self, **options: Any) -> dict[str, Any]:
        """The figures of one load (benchmarks/floor.py)."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.write(json.dumps({"base": self._base, **options}) + "\n")
        self._popen.stdin.flush()
        found: dict[str, Any] = json.loads(self._popen.stdout.readline())
        return found

    def close(self) -> None:
        """End the process."""
        self._popen.kill()
        self._popen.wait()


@contextlib.contextmanager
def running(folder: Path, database_url: str, **settings: str) -> Iterator[Stack]:
    """The product, started and ready; ended at the end, whatever happens."""
    stack = Stack(folder, database_url=database_url, **settings)
    try:
        stack.start()
        yield stack
    except BaseException:
        for name, said in stack.tails():
            print(f"--- {name}\n{said}", file=sys.stderr)
        raise
    finally:
        stack.close()


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """A new, empty database of the kind; PostgreSQL's on the server of DATABASE_URL."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bench.sqlite3"
        return
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        raise SystemExit("--database postgresql needs DATABASE_URL: postgres://user@host/name")
    name = f"{_database_name(server)}_bench_{secrets.token_hex(4)}"
    with databases.fresh(server, folder, name=name) as url:
        yield url


def _database_name(server: str) -> str:
    return urlsplit(server).path.strip("/") or "chatsite"
