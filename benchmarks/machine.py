"""What processes cost, as the kernel counts it: CPU time and resident memory."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")

# A name and the processes that bear it now.
Groups = Callable[[], dict[str, list[int]]]


class Meter:
    """CPU milliseconds of groups of processes between two moments."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._before = {pid: cpu_ms(pid) for pids in groups().values() for pid in pids}
        self._own = time.process_time()

    def spent(self) -> dict[str, float]:
        """By group; a process that came since counts whole."""
        found = {
            name: sum(cpu_ms(pid) - self._before.get(pid, 0.0) for pid in pids)
            for name, pids in self._groups().items()
        }
        return {**found, "load generator": (time.process_time() - self._own) * 1000}


def cpu_ms(pid: int) -> float:
    """User and system time of a process, 0 where it is gone; the kernel counts in 10 ms."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / _TICK
    return 0.0


def megabytes(pids: Iterable[int]) -> list[float]:
    """VmRSS of each."""
    return [_resident(pid) for pid in pids]


def _resident(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def here() -> dict[str, Any]:
    """What is to be known of the machine beside its figures."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": round(os.getloadavg()[0], 1),
    }
