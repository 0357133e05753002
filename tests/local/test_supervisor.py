"""The supervisor, over children that only sleep."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.local.conftest import Start, children, lives
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PROGRAM = """
import asyncio, os, pathlib, sys
from chatsite.local.console import Console
from chatsite.local.process import Process
from chatsite.local.supervisor import Supervisor

# One that has a child of its own, and one that does not listen to SIGTERM.
forks = "import os, time; os.fork(); time.sleep(600)"
deaf = "import signal, time; signal.signal(15, 1); print('deaf', flush=True); time.sleep(600)"
crash = "raise SystemExit(3)"
bodies = {"forks": forks, "deaf": deaf, "crash": crash}
stages = [[Process(name, (sys.executable, "-c", bodies[name])) for name in sys.argv[1:]]]
console = Console(sys.stdout)
supervisor = Supervisor(environment=os.environ, directory=pathlib.Path("."), console=console)
sys.exit(asyncio.run(supervisor.run(stages)))
"""


def test_starts_a_child_again_when_it_crashed(start: Start) -> None:
    supervisor = start("-c", PROGRAM, "forks")
    wait_until(lambda: len(children(supervisor.pid)) == 2)
    before = children(supervisor.pid)

    os.kill(before[0], signal.SIGKILL)

    wait_until(lambda: not any(map(lives, before)))
    wait_until(lambda: len(children(supervisor.pid)) == 2)


def test_gives_up_when_a_child_keeps_crashing(start: Start, tmp_path: Path) -> None:
    program = "from chatsite.local import supervisor; supervisor._FIRST_PAUSE = 0.01\n" + PROGRAM

    assert start("-c", program, "crash", "forks").wait(20) == 1
    assert "crash keeps ending (exit 3)" in (tmp_path / "out").read_text()


def test_ends_all_when_told_to(start: Start) -> None:
    supervisor = start("-c", PROGRAM, "forks")
    wait_until(lambda: len(children(supervisor.pid)) == 2)
    below = children(supervisor.pid)

    supervisor.terminate()

    assert supervisor.wait(20) == 0
    wait_until(lambda: not any(map(lives, below)))


def test_kills_at_once_when_told_twice(start: Start, tmp_path: Path) -> None:
    supervisor = start("-c", PROGRAM, "deaf")
    wait_until(lambda: "| deaf" in (tmp_path / "out").read_text())
    below = children(supervisor.pid)

    supervisor.send_signal(signal.SIGINT)
    wait_until(lambda: "Stopping" in (tmp_path / "out").read_text())
    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(20) == 0
    assert not any(map(lives, below))
    assert "is killed" not in (tmp_path / "out").read_text()


def test_leaves_no_orphan_when_it_is_killed_itself(start: Start, tmp_path: Path) -> None:
    supervisor = start("-c", PROGRAM, "deaf")
    wait_until(lambda: "| deaf" in (tmp_path / "out").read_text())
    below = children(supervisor.pid)

    supervisor.kill()
    supervisor.wait()

    assert below
    wait_until(lambda: not any(map(lives, below)))
