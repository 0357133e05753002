"""The broker refuses, hangs, forgets, is full, holds garbage: F4, F5, F6, F7."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence

from chaos import truth
from chaos.ledger import Guest, Word
from chaos.rows import row
from chaos.world import World, require, until

ACCEPTED_WITHIN = 0.3
ANSWERED_WITHIN = 60.0
_QUEUED = 100
_POSTS = 20
# What no client of Celery's writes; 5.7's main process ends on some of it.
_GARBAGE = (b"garbage", b"[1, 2]", b'{"body": "x", "headers": {}, "properties": {}}')


@row("F4", "broker refuses, or accepts and never answers", short=True)
async def broker_away(world: World) -> str:
    """Posts are accepted as quickly as ever, and answered when it is back."""
    said = []
    faults = [("silent", world.redis.swallow), ("refused", world.redis.refuse)]
    for name, fault in faults[: 1 if world.is_short else 2]:
        # Before the fault: nobody signs in while requests cannot be counted.
        guests = await world.guests(_POSTS)
        await asyncio.to_thread(fault)
        words = await _posts(guests)
        await asyncio.to_thread(world.redis.heal)
        took = await answered(world, within=ANSWERED_WITHIN)
        said.append(f"{name}: {_accepted(words)}, answered {took:.1f} s after")
    return "; ".join(said)


async def _posts(guests: Sequence[Guest]) -> list[Word]:
    return [await guest.say("Is anybody there?") for guest in guests]


def _accepted(words: list[Word]) -> str:
    """All but the slowest tenth: a shared machine may stop for a moment."""
    require({tuple(word.statuses) for word in words} == {(202,)}, "all accepted at the first try")
    seconds = sorted(word.seconds[0] for word in words)
    late = seconds[len(seconds) * 9 // 10 - 1]
    require(late < ACCEPTED_WITHIN, f"accepted in {late:.2f} s")
    return f"{len(words)} accepted in {seconds[len(seconds) // 2] * 1000:.0f} ms (median)"


async def answered(world: World, *, within: float) -> float:
    """Wait until no answer is owed; the seconds it took."""
    return await until(
        lambda: "answers" not in truth.owed(world.database_url), "all are answered", within
    )


@row("F5", "broker restarts and has lost its memory, 100 queued", short=True)
async def broker_forgets(world: World) -> str:
    """Everything is answered once."""
    guests = await world.guests(_QUEUED)
    world.send("replies", signal.SIGSTOP)
    await asyncio.gather(*(guest.say("Queued?") for guest in guests))
    await asyncio.to_thread(world.kill, "broker")
    await until(lambda: world.stack["broker"].is_running, "it is back", 10)
    world.send("replies", signal.SIGCONT)
    took = await answered(world, within=ANSWERED_WITHIN)
    return f"{_QUEUED} answered {took:.1f} s after its return (at most {ANSWERED_WITHIN:g})"


@row("F6", "broker full (noeviction)")
async def broker_full(world: World) -> str:
    """Posts are accepted, readiness is red, and all is answered."""
    broker = world.broker()
    policy = broker.config_get("maxmemory-policy")["maxmemory-policy"]
    require(policy == "noeviction", f"its policy is {policy}")
    guests = await world.guests(_POSTS)
    broker.config_set("maxmemory", 1)
    words = await _posts(guests)
    await until(lambda: not world.is_ready(), "readiness is red", 15)
    broker.config_set("maxmemory", 0)
    await until(world.is_ready, "readiness is green", 30)
    took = await answered(world, within=ANSWERED_WITHIN)
    return f"{_accepted(words)}, readiness red; answered {took:.1f} s after there was room"


@row("F7", "garbage in the queues")
async def garbage(world: World) -> str:
    """Whatever ends by it is started again, and nothing is lost."""
    before = sum(world.restarts.values())
    guests = await world.guests(5)
    broker = world.broker()
    for piece in _GARBAGE:
        for queue in ("replies", "notifications"):
            broker.lpush(f"chatsite:{queue}", piece)
        for guest in guests:
            await guest.say(f"With {piece!r}?")
    for queue in ("replies", "notifications"):
        await until(lambda q=queue: not broker.llen(f"chatsite:{q}"), "it is eaten up", 120)  # type: ignore[misc]
    took = await answered(world, within=ANSWERED_WITHIN)
    ended = sum(world.restarts.values()) - before
    return f"{len(_GARBAGE)} kinds in 2 queues, {ended} restarts; answered {took:.1f} s after"
