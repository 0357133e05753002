"""A web process of its own, and requests to it as bytes: what no HTTP client would send."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings

from tests.support import AGENT
from tests.system.machine import free_port, resident_megabytes
from tests.system.processes import ROOT, Process
from tests.waiting import wait_until

SECONDS = 20.0
HEAD_SECONDS = 3
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What came back before the connection was closed, or the whole of one response."""

    status: int
    head: str
    body: bytes

    def problem(self) -> dict[str, Any]:
        """The body, which is a problem."""
        assert "application/problem+json" in self.head, (self.head, self.body)
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        return found


class Web:
    """gunicorn as in production, with one worker and no limits."""

    def __init__(self, folder: Path, *, database_url: str, **settings_: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {
            **os.environ,
            "DEBUG": "off",
            "DATABASE_URL": database_url,
            "REDIS_URL": settings.REDIS_URL,
            "PORT": str(self.port),
            "WEB_WORKERS": "1",
            "RATE_LIMITING_ENABLED": "off",
            "MESSAGE_LIMIT": "100000",
            "REQUEST_HEAD_SECONDS": str(HEAD_SECONDS),
            **settings_,
        }
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi"]
        self.process = Process("web", command, self._env, folder / "web.log")

    def start(self) -> None:
        """Migrate, serve, and wait until it does."""
        command = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(command, cwd=ROOT, env=self._env, check=True, timeout=SECONDS * 5)
        self.process.start()
        wait_until(self._is_alive, "the web process serves")

    def megabytes(self) -> float:
        """The resident memory of the worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return max(resident_megabytes(int(pid)) for pid in children.read_text().split())

    def sign_in(self) -> str:
        """A token."""
        email = {"email": "ann@example.org"}
        found: str = httpx.post(f"{self.url}/auth/email", json=email).json()["access_token"]
        return found

    def open(self) -> socket.socket:
        """A connection."""
        found = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        found.settimeout(SECONDS)
        return found

    def send(self, *parts: bytes) -> Answer:
        """Send these bytes; the first answer."""
        with self.open() as connection:
            for part in parts:
                connection.sendall(part)
            return read(connection)

    def post(self, body: bytes, token: str, path: str = "/chat", **headers: str) -> Answer:
        """POST the body with its true length."""
        return self.send(head("POST", path, token, content_length=str(len(body)), **headers), body)

    def _is_alive(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def head(method: str, path: str, token: str = "", **headers: str) -> bytes:
    """A request's head, with what a friendly client sends unless told otherwise."""
    named = {"host": "localhost", "user-agent": AGENT, "content-type": "application/json"}
    named |= {"authorization": f"Bearer {token}"} if token else {}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def read(connection: socket.socket) -> Answer:
    """The first answer on a connection; status 0 where it was closed without one."""
    data = b""
    while not _is_whole(data) and (more := connection.recv(65536)):
        data += more
    top, _, body = data.partition(b"\r\n\r\n")
    return Answer(int(top.split(b" ")[1]) if data else 0, top.decode("latin-1").lower(), body)


def _is_whole(data: bytes) -> bool:
    top, _, body = data.partition(b"\r\n\r\n")
    length = _LENGTH.search(top)
    return bool(body and length and len(body) >= int(length[1]))
