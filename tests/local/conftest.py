"""Real processes for the tests of `chatsite/local`: started, watched and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


def lives(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    """The processes below this one, all generations."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    direct = [int(word) for word in text.split()]
    return direct + [below for child in direct for below in children(child)]


def environment(**more: str) -> dict[str, str]:
    """What a fresh shell would have."""
    passed = ("PATH", "HOME", "COVERAGE_PROCESS_CONFIG")
    kept = {name: os.environ[name] for name in passed if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[Start]:
    """Starts Pythons, whose output goes to `out` in the folder; leaves none alive."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, cwd: Path = folder, **more: str) -> subprocess.Popen[str]:
        with (folder / "out").open("w", encoding="utf-8") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=cwd,
                env=environment(**more),
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        started.append(process)
        return process

    try:
        yield begin
    finally:
        for process in started:
            below = children(process.pid)
            process.kill()
            process.wait()
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a Python with these arguments; its output goes to tmp_path/out."""
    with starting(tmp_path) as begin:
        yield begin
