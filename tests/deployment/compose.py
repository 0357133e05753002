"""The containers of docker-compose.yml as processes, each at a loopback address of its own.

What a container has of its own is translated and nothing else: its address, its names for other
containers, its folders. So each stands for a machine: the proxy, two webs, workers, stores."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests import services
from tests.system.processes import ROOT, Process
from tests.waiting import WITHIN, wait_until

FILE = ROOT / "docker-compose.yml"
NGINX = ROOT / "deploy" / "nginx"
# What the image has as commands, and a checkout as modules.
_COMMANDS = {
    "python": [sys.executable],
    "gunicorn": [sys.executable, "-m", "gunicorn"],
    "celery": [sys.executable, "-m", "celery"],
}
_FIXED = {"proxy": "172.28.0.10", "web-a": "172.28.0.11", "web-b": "172.28.0.12"}


def load() -> dict[str, Any]:
    """The file, its anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def example_env() -> dict[str, str]:
    """deploy/env.example, which an operator copies to .env."""
    lines = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def nginx() -> Path | None:
    """The proxy's program, where it is installed."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


class Machines:
    """Starts and ends the services by name; `replies-2` is the second of its replicas."""

    def __init__(self, folder: Path, *, database_url: str, provider_url: str) -> None:
        self.folder, self._database_url = folder, database_url
        self._file = load()
        block = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}"
        self.addresses = {
            name: f"{block}.{number}"
            for number, name in enumerate([*self._file["services"], "replies-2"], start=10)
        }
        self._env = {
            **example_env(),
            "LLM_MODEL": "openai/asked",
            "LLM_API_BASE": f"{provider_url}/v1",
            "WEB_WORKERS": "1",  # two webs of one worker each, on a machine that is not theirs
            # In a container nobody is root; here the test may be.
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
        }
        self.early: list[socket.socket] = []  # half-sent requests from before it was up
        self._processes: dict[str, Process] = {}
        self._write_secrets()

    def __getitem__(self, name: str) -> Process:
        return self._processes[name]

    @property
    def url(self) -> str:
        """Where visitors come in."""
        return f"https://{self.addresses['proxy']}:8443"

    def figures(self, name: str, port: int) -> str:
        """Where Prometheus asks a service."""
        return f"http://{self.addresses[name]}:{port}/metrics"

    def running(self, *beginnings: str) -> list[str]:
        """The names of what was started and begins like this."""
        return [name for name in self._processes if name.startswith(beginnings)]

    def start(self, *names: str) -> None:
        """Start services, or start them again."""
        for name in names:
            if name not in self._processes:
                self._processes[name] = self._process(name)
            self._processes[name].start()

    def run(self, name: str) -> None:
        """A service that ends by itself."""
        process = self._process(name)
        subprocess.run(process.command, cwd=ROOT, env=process.env, check=True, timeout=WITHIN)

    def collect_static(self) -> None:
        """What the Dockerfile does while the image is built, as it says it."""
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        found = re.search(
            r"^RUN (.*) python (manage.py collectstatic.*?) *\\?$", text, re.MULTILINE
        )
        assert found is not None
        given = dict(word.split("=", 1) for word in shlex.split(found[1]))
        env = {**_bare(), **given, "STATIC_ROOT": str(self.folder / "static")}
        command = [*_COMMANDS["python"], *shlex.split(found[2])]
        subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=WITHIN, capture_output=True)

    def wait_until_healthy(self, *names: str) -> None:
        """Wait until the services' own health checks say so."""
        for name in names:
            wait_until(lambda name=name: self.is_healthy(name), f"{name} is healthy")  # type: ignore[misc]

    def is_healthy(self, name: str) -> bool:
        """Whether the health check of the file succeeds."""
        _, *test = self._service(name)["healthcheck"]["test"]
        env = self._processes[name].env
        ran = subprocess.run(
            self._command(name, test),
            cwd=ROOT,
            env=env,
            capture_output=True,
            timeout=WITHIN,
            check=False,
        )
        return ran.returncode == 0

    def close(self) -> None:
        """End everything."""
        for process in reversed(self._processes.values()):
            process.kill()

    def tails(self) -> Iterable[tuple[str, str]]:
        """The last of what each process said."""
        return ((process.name, process.tail()) for process in self._processes.values())

    def _process(self, name: str) -> Process:
        words = shlex.split(self._service(name)["command"])
        log = self.folder / f"{name}.log"
        return Process(name, self._command(name, words), self._environment(name), log)

    def _service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._file["services"][name.removesuffix("-2")]
        return found

    def _environment(self, name: str) -> dict[str, str]:
        given = self._service(name).get("environment", {})
        translated = {key: self._translate(name, value) for key, value in given.items()}
        if "DATABASE_URL" in translated:
            translated["DATABASE_URL"] = self._database_url
        temporary = self.folder / f"tmp-{name}"
        temporary.mkdir(exist_ok=True)
        own = {"TMPDIR": str(temporary), "STATIC_ROOT": str(self.folder / "static")}
        return {**_bare(), **self._env, **translated, **own}

    def _command(self, name: str, words: list[str]) -> list[str]:
        program, *rest = words
        arguments = [self._translate(name, word) for word in rest]
        if program == "valkey-server":
            own = ["--bind", self.addresses[name], "--dir", str(self.folder)]
            return [str(services.valkey_binary()), *arguments, *own]
        if program == "valkey-cli":
            ask = f"import redis; redis.Redis('{self.addresses[name]}').ping()"
            return [*_COMMANDS["python"], "-c", ask]
        if program == "nginx":
            self._write_nginx()
            return [str(nginx()), *arguments]
        if program == "wget":  # BusyBox's, which the image has
            return [*_COMMANDS["python"], "scripts/alive.py", arguments[-1]]
        return [*_COMMANDS[program], *arguments]

    def _translate(self, name: str, text: str) -> str:
        """In one pass: what is put in may itself look like something to translate."""
        table = {
            **{fixed: self.addresses[who] for who, fixed in _FIXED.items()},
            "0.0.0.0": self.addresses[name],
            "127.0.0.1": self.addresses[name],
            "valkey:6379": f"{self.addresses['valkey']}:6379",
            "/run/secrets/": f"{self.folder}/secrets/",
            "/etc/chatsite/": f"{self.folder}/nginx/",
            "/etc/tls/": f"{self.folder}/tls/",
            "/var/www/acme": f"{self.folder}/acme",
            "/tmp/": f"{self.folder}/tmp-{name}/",
            "/dev/stdout": f"{self.folder}/access.log",
        }
        known = "|".join(map(re.escape, table))
        return re.sub(known, lambda found: table[found[0]], text)

    def _write_nginx(self) -> None:
        """The proxy's files, with the addresses of these machines."""
        folder, own = self.folder / "nginx", self.addresses["proxy"]
        folder.mkdir(exist_ok=True)
        for file in NGINX.iterdir():
            text = self._translate("proxy", file.read_text(encoding="utf-8"))
            text = re.sub(r"listen (80|84)", rf"listen {own}:\1", text)
            text = re.sub(r"listen \[::\]", "# listen [::]", text)
            (folder / file.name).write_text(text, encoding="utf-8")

    def _write_secrets(self) -> None:
        """As docs/deployment.md has them made; those of parts that are not used are empty."""
        secrets = self.folder / "secrets"
        secrets.mkdir()
        for name in self._file["secrets"]:
            is_needed = name.endswith(("_password", "_key")) and not name.endswith("_api_key")
            (secrets / name).write_text(f"{name}-{'x' * 40}" if is_needed else "")
        (secrets / "llm_api_key").write_text("none")


def _bare() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG")
    return {name: os.environ[name] for name in kept if name in os.environ}
