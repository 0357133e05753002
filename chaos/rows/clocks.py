"""Machines whose clocks disagree: F17."""

from __future__ import annotations

import asyncio
import time

from chaos.rows import row
from chaos.rows.broker import answered
from chaos.rows.workers import recovery
from chaos.world import World, require

_SKEWED = {
    "web": 120,
    "second web": -120,
    "replies": 120,
    "notifications": -120,
    "beat": -120,
    "bot": 120,
}


@row("F17", "clocks 120 s ahead and behind")
async def clocks(world: World) -> str:
    """Tokens are good everywhere, leases hold, order is `seq`, nothing waits for a wrong clock."""
    commands = {name: world.stack[name].command for name in _SKEWED}
    try:
        for name, seconds in _SKEWED.items():
            python, *rest = commands[name]
            command = [python, "-m", "chaos.skewed", str(seconds), *rest]
            await asyncio.to_thread(world.restart, name, command)
        await asyncio.to_thread(world.wait_until_ready)
        return await _talk(world)
    finally:
        for name, command in commands.items():
            await asyncio.to_thread(world.restart, name, command)
        await asyncio.to_thread(world.wait_until_ready)


async def _talk(world: World) -> str:
    guests = await world.guests(10)
    readers = [guest.read() for guest in guests]
    for number in range(3):  # by way of both web processes in turn
        words = [await guest.say(f"What time is it? {number}") for guest in guests]
        require(all(word.statuses == [202] for word in words), "accepted at the first try")
    took = await answered(world, within=30)
    seconds = await recovery(world, guests[0], readers[0])
    began = time.monotonic()
    await world.settle(60)
    return (
        f"30 answered {took:.1f} s after the last; {seconds:.1f} s after a kill; "
        f"Discord has all {time.monotonic() - began:.1f} s later"
    )
