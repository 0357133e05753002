"""A start while parts are missing: F0, which the table of faults does not count."""

from __future__ import annotations

import asyncio

import httpx

from chaos.rows import row
from chaos.rows.broker import ANSWERED_WITHIN, answered
from chaos.world import WEBS, World, require, until

_STARTED = (*WEBS, "replies", "notifications", "beat", "bot")


@row("F0", "Redis, provider and Discord are missing at the start")
async def without_parts(world: World) -> str:
    """Posts are accepted, readiness and the log say what is missing; it heals without a restart."""
    guests = await world.guests(5)  # nobody signs in while requests cannot be counted
    await asyncio.to_thread(world.redis.refuse)
    await asyncio.to_thread(world.provider.refuse)
    world.discord.is_down = True
    for name in _STARTED:
        await asyncio.to_thread(world.restart, name)
    live = [f"{world.url_of(web)}/health/live" for web in WEBS]
    await until(lambda: all(world.stack.status_of(url) == 200 for url in live), "they serve", 60)
    pids = {name: world.stack[name].pid for name in _STARTED}
    words = [await guest.say("Is anything there?") for guest in guests]
    require(all(word.statuses == [202] for word in words), "accepted at the first try")
    said = await asyncio.to_thread(_readiness, world)
    require(said["broker"] is False, f"readiness says {said}")
    require("broker" in world.stack["replies"].tail(100).lower(), "the log says it")
    await asyncio.to_thread(world.redis.heal)
    await asyncio.to_thread(world.provider.heal)
    world.discord.is_down = False
    await until(world.is_ready, "it is ready", ANSWERED_WITHIN)
    took = await answered(world, within=ANSWERED_WITHIN)
    await world.settle(ANSWERED_WITHIN)
    now = {name: world.stack[name].pid for name in _STARTED}
    require(now == pids, "nothing was started again")
    return f"5 accepted meanwhile, readiness red; ready and answered {took:.1f} s after, no restart"


def _readiness(world: World) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{world.url_of('web')}/health/ready", timeout=10).json()
    return found
