"""One piece of a run: it breaks something, everything heals, and the ledger is compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from chaos.report import Outcome, say
from chaos.world import Broken, World

_TAIL = 4


async def piece(
    world: World,
    name: str,
    act: Callable[[World], Awaitable[str]],
    *,
    within: float,
) -> Outcome:
    """Run it, heal, settle, compare; the outcome is said at once."""
    outcome = Outcome(name, "sqlite" if world.is_sqlite else "postgres")
    began = time.monotonic()
    try:
        async with asyncio.timeout(within):
            outcome.figures = await act(world)
    except Exception as error:  # the row's edge: the table says it, and the others go on
        outcome.error = f"{type(error).__name__}: {error}"
    try:
        await asyncio.to_thread(world.heal)
        await world.settle()
        await _readers_are_there(world)
    except (Broken, TimeoutError) as error:
        outcome.error = f"{outcome.error}; {error}".strip("; ")
    outcome.findings = await world.findings()
    outcome.seconds = time.monotonic() - began
    await world.forget()
    for line in outcome.lines():
        say(line)
    if not outcome.is_green:
        _tails(world)
    return outcome


async def _readers_are_there(world: World) -> None:
    """Give open pages the time to read what has just been stored."""
    last: dict[str, int] = {}
    for word in world.ledger.accepted:
        last[word.session] = last.get(word.session, 0) + 1
    deadline = time.monotonic() + 10
    for reader in world.ledger.readers:
        answers = last.get(reader.session, 0)
        while len(reader.ended) < answers and time.monotonic() < deadline:
            await asyncio.sleep(0.1)


def _tails(world: World) -> None:
    """What the processes warned of, where something went wrong."""
    for process in world.stack:
        lines = [
            line
            for line in process.tail(400).splitlines()
            if '"level": "error"' in line or '"level": "warning"' in line
        ]
        for line in lines[-_TAIL:]:
            say(f"    {process.name}: {line[:240]}")
