"""Which tests share a worker of pytest-xdist: those that share running processes, and files whole.

Not `--dist loadgroup`: with pytest 9.2 it silently groups nothing (pytest-xdist#1386)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import coverage
from xdist.scheduler import LoadScopeScheduling

# Each starts processes of its own, once, and takes long: they come first, in this order.
GROUPS: Final = {
    "browser": ("tests/browser/",),
    "system": ("tests/system/",),
    "discord": ("tests/notifications/test_real_processes.py",),
    "local": ("tests/local/",),
}
_NAMES: Final = tuple(GROUPS)
# What they start does not count for the coverage, and they run nothing of the product themselves.
_UNTRACED: Final = (
    *(path for name in ("browser", "system", "discord") for path in GROUPS[name]),
    "tests/deployment/test_production.py",
)


class Distribution(LoadScopeScheduling):
    """Hands a worker whole groups, and whole files of the rest."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def make(config: Any, log: Any) -> Distribution:
    """The scheduler; it keeps the order in which tests were collected."""
    config.option.loadscopereorder = False
    return Distribution(config, log)


def group(nodeid: str) -> str:
    """The test's group, or else its file."""
    for name, paths in GROUPS.items():
        if nodeid.startswith(paths):
            return name
    return nodeid.partition("::")[0]


def rank(nodeid: str) -> int:
    """Where the test's group stands in the order of starting."""
    name = group(nodeid)
    return _NAMES.index(name) if name in GROUPS else len(_NAMES)


@contextlib.contextmanager
def untraced(nodeid: str) -> Iterator[None]:
    """Let coverage, where it is measured, rest during the test where it has nothing to see."""
    measured = coverage.Coverage.current()
    if measured is None or not nodeid.startswith(_UNTRACED):
        yield
        return
    measured.stop()
    try:
        yield
    finally:
        measured.start()
