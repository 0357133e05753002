"""One running product for all tests of this folder, healed before each of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.system import databases
from tests.system.machine import allow_many_files
from tests.system.processes import Stack
from tests.system.visitors import Entrance, entrance

# Shorter than the defaults, so that what is lost is found sooner and no test waits for long.
LEASE_SECONDS = 4
QUICK = {
    "ANSWER_LEASE_SECONDS": str(LEASE_SECONDS),
    "REPLIES_DRAIN_SECONDS": "2",
    "MESSAGE_LIMIT": "1000",
    "LONG_POLL_SECONDS": "0.05",
}
_figures: dict[str, str] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the processes said where a test failed."""
    report: Any = yield
    stack = getattr(item, "funcargs", {}).get("running")
    if report.failed and isinstance(stack, Stack):
        report.sections += [(f"log of {name}", said) for name, said in stack.tails()]
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was measured."""
    for name, value in _figures.items():
        terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def figures() -> dict[str, str]:
    """What was measured, for the summary."""
    return _figures


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running product."""
    allow_many_files()
    folder = tmp_path_factory.mktemp("system")
    server = os.environ.get("DATABASE_URL", "")
    with databases.fresh(server, folder, name=f"chatsite_system_{os.getpid()}") as url:
        stack = Stack(folder, database_url=url, **QUICK)
        try:
            stack.start()
            sizes = [f"{size:.0f}" for size in stack.megabytes_at_first]
            _figures["web workers' resident megabytes at first"] = " and ".join(sizes)
            yield stack
        finally:
            stack.close()


@pytest.fixture
def stack(running: Stack) -> Stack:
    """The running product, with all its processes alive."""
    running.heal()
    return running


@pytest_asyncio.fixture
async def door(stack: Stack) -> AsyncIterator[Entrance]:
    """Where visitors come in."""
    async with entrance(stack.url) as opened:
        yield opened
