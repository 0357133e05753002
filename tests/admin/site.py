"""The running system for the browser: web, replies worker, provider, on a database of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough password"
AGENT = "a visitor's browser"


class Site:
    """Its address, and what a visitor does there."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self._ports = [_free_port(), _free_port()]
        self.url = f"http://127.0.0.1:{self._ports[0]}"
        self._environment = {
            **os.environ,
            "DEBUG": "on",
            "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
            "REDIS_URL": redis_url,
            "PORT": str(self._ports[0]),
            "WEB_WORKERS": "1",
            "LLM_MODEL": "openai/words40-gap0.05",
            "LLM_API_BASE": f"http://127.0.0.1:{self._ports[1]}/v1",
            "LLM_API_KEY": "x",
            "AUTH_RATE_LIMIT": "1000/minute",
            "CHAT_RATE_LIMIT": "1000/minute",
            "ADMIN_LOGIN_RATE_LIMIT": "1000/minute",
            "PYTHONPATH": str(ROOT),
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Migrate, fill, serve."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("demo_data", "--sessions", "60", "--seed", "5", "--days", "20")
        self.run("tests.admin.fill", PASSWORD)
        for command in (
            ["-m", "tests.standins.provider", str(self._ports[1])],
            ["-m", "gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi"],
            ["-m", "celery", "-A", "chatsite.celery", "worker", "-Q", "replies", "-P", "threads",
             "-c", "2", "-I", "chat_app.tasks", "--without-gossip", "--without-mingle",
             "--without-heartbeat", "-n", f"admin{self._ports[0]}@%h"],
        ):  # fmt: skip
            self._processes.append(self._spawn(command))
        self._wait()

    def stop(self) -> None:
        """End what was started."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def manage(self, *words: str) -> None:
        """A command of manage.py."""
        self._call(["manage.py", *words])

    def run(self, module: str, *words: str) -> str:
        """A module, with the site's database; what it printed."""
        return self._call(["-m", module, *words])

    def post(self, path: str, body: dict[str, Any], token: str = "", **headers: str) -> Any:
        """A visitor's request; the JSON of its answer."""
        request = urllib.request.Request(
            self.url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "User-Agent": AGENT, **headers}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def events(self, token: str, until: str, seconds: float = 15) -> str:
        """The visitor's own stream, read until it holds these words."""
        request = urllib.request.Request(
            f"{self.url}/chat/events",
            headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream",
                     "User-Agent": AGENT},
        )  # fmt: skip
        seen, end = "", time.monotonic() + seconds
        with urllib.request.urlopen(request, timeout=seconds) as stream:
            while until not in seen and time.monotonic() < end:
                seen += stream.readline().decode()
        return seen

    def _spawn(self, words: list[str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self._environment, stdout=quiet, stderr=quiet
        )

    def _call(self, words: list[str]) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def _wait(self) -> None:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{self.url}/health/live", timeout=2).close()
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the site did not start")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
