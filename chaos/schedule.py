"""A random schedule of faults while visitors talk; the same seed makes the same schedule."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from chaos.rows.database import locked
from chaos.traffic import Traffic
from chaos.world import WEBS, World, require
from tests.system.machine import children

Fault = Callable[[World, random.Random], Awaitable[None]]
_GUESTS, _READERS, _PER_SECOND = 24, 8, 8.0
_PAUSE = (0.5, 3.0)


async def run(world: World, *, seed: int, seconds: float) -> str:
    """Break one thing after the other, and sometimes two; the zeros are compared afterwards."""
    chance = random.Random(seed)
    guests = await world.guests(_GUESTS)
    for guest in guests[:_READERS]:
        guest.read()
    done: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    async with Traffic(guests, per_second=_PER_SECOND) as traffic:
        while time.monotonic() < deadline:
            done.update(await _break(world, chance))
        await asyncio.to_thread(world.heal)
    require(all(word.was_accepted for word in traffic.words), "every message was accepted at last")
    made = ", ".join(f"{name} {count}" for name, count in sorted(done.items()))
    said = f"{len(traffic.words)} messages, {len(traffic.failed)} not at the first try"
    return f"{said}; {sum(done.values())} faults: {made}"


async def for_ever(world: World, *, seed: int) -> None:
    """Break one thing after the other until it is cancelled."""
    chance = random.Random(seed)
    while True:
        await _break(world, chance)


async def _break(world: World, chance: random.Random) -> list[str]:
    """One thing, or two at once, and a pause; what was broken."""
    faults = chance.sample(_known(world), chance.choice((1, 1, 2)))
    await asyncio.gather(*(act(world, random.Random(chance.random())) for _, act in faults))
    await asyncio.sleep(chance.uniform(*_PAUSE))
    return [name for name, _ in faults]


def _known(world: World) -> list[tuple[str, Fault]]:
    only = ("database locked", _lock) if world.is_sqlite else ("database away", _database_away)
    there = [(name, act) for name, act in _FAULTS if not (world.has_no_mirror and "bot" in name)]
    return [*there, only]


def _kill(name: str) -> Fault:
    async def act(world: World, chance: random.Random) -> None:
        await asyncio.to_thread(world.kill, name)

    return act


async def _kill_web(world: World, chance: random.Random) -> None:
    for pid in children(world.stack[chance.choice(WEBS)].pid):
        os.kill(pid, signal.SIGKILL)


async def _reload(world: World, chance: random.Random) -> None:
    world.send(chance.choice(WEBS), signal.SIGHUP)


def _freeze(name: str) -> Fault:
    async def act(world: World, chance: random.Random) -> None:
        pid = world.stack[name].pid
        world.send(name, signal.SIGSTOP)
        await asyncio.sleep(chance.uniform(1, 14))
        if world.stack[name].pid == pid:
            world.send(name, signal.SIGCONT)

    return act


def _wire(name: str, how: str) -> Fault:
    async def act(world: World, chance: random.Random) -> None:
        wire = getattr(world, name)
        await asyncio.to_thread(getattr(wire, how))
        await asyncio.sleep(chance.uniform(0.5, 6))
        await asyncio.to_thread(wire.heal)

    return act


def _slow(name: str) -> Fault:
    async def act(world: World, chance: random.Random) -> None:
        wire = getattr(world, name)
        wire.delay = chance.uniform(0.02, 0.3)
        await asyncio.sleep(chance.uniform(1, 6))
        wire.delay = 0.0

    return act


async def _cut_readers(world: World, chance: random.Random) -> None:
    world.front.cut_after = lambda: chance.randint(100, 4000)
    await asyncio.to_thread(world.front.cut)
    await asyncio.sleep(chance.uniform(1, 4))
    world.front.cut_after = None


async def _flush(world: World, chance: random.Random) -> None:
    await asyncio.to_thread(world.broker().flushall)


async def _lock(world: World, chance: random.Random) -> None:
    async with locked(world, chance.uniform(0.5, 12)):
        pass


async def _database_away(world: World, chance: random.Random) -> None:
    assert world.postgres is not None
    await asyncio.to_thread(chance.choice((world.postgres.refuse, world.postgres.cut)))
    await asyncio.sleep(chance.uniform(0.5, 4))
    await asyncio.to_thread(world.postgres.heal)


async def _discord_down(world: World, chance: random.Random) -> None:
    world.discord.is_down = True
    await asyncio.sleep(chance.uniform(1, 6))
    world.discord.is_down = False


async def _discord_cuts(world: World, chance: random.Random) -> None:
    """The connection breaks after Discord took the post."""
    fault = world.discord.fault("POST /channels/.*/messages$", cut=True, every=2)
    await asyncio.sleep(chance.uniform(1, 5))
    world.discord.faults.remove(fault)


async def _discord_limits(world: World, chance: random.Random) -> None:
    fault = world.discord.fault("POST ", status=429, every=3, retry_after=0.5)
    await asyncio.sleep(chance.uniform(1, 5))
    world.discord.faults.remove(fault)


_FAULTS: tuple[tuple[str, Fault], ...] = (
    ("kill replies", _kill("replies")),
    ("kill notifications", _kill("notifications")),
    ("kill beat", _kill("beat")),
    ("kill bot", _kill("bot")),
    ("kill broker", _kill("broker")),
    ("kill web", _kill_web),
    ("reload web", _reload),
    ("freeze replies", _freeze("replies")),
    ("freeze notifications", _freeze("notifications")),
    ("broker refuses", _wire("redis", "refuse")),
    ("broker silent", _wire("redis", "swallow")),
    ("broker cut", _wire("redis", "cut")),
    ("broker slow", _slow("redis")),
    ("broker flushed", _flush),
    ("provider refuses", _wire("provider", "refuse")),
    ("provider cut", _wire("provider", "cut")),
    ("provider slow", _slow("provider")),
    ("readers cut", _cut_readers),
    ("discord down", _discord_down),
    ("discord cuts", _discord_cuts),
    ("discord limits", _discord_limits),
)
