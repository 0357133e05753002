"""`python -m chaos.skewed SECONDS -m MODULE …` or `… SCRIPT …`: a process whose clock is wrong.

Only what the process itself reads is moved; timers and the database's clock stay as they are."""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path

import time_machine


def main() -> None:
    """Move the clock, then run what follows as if it had been started itself."""
    seconds, *command = sys.argv[1:]
    time_machine.travel(time.time() + float(seconds), tick=True).start()
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        sys.path.insert(0, str(Path(command[0]).resolve().parent))
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
