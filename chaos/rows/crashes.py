"""Processes that end between two steps: F20."""

from __future__ import annotations

import asyncio
import os
import signal

from chaos.rows import row
from chaos.rows.broker import answered
from chaos.world import WEBS, World, require, until
from tests.system.machine import children

_POST = "POST /channels/.*/messages$"
_RUNG_WITHIN = 25.0
_SENT_WITHIN = 60.0


@row("F20", "crash between commit and ring, and between Discord's post and mark-sent")
async def crashed(world: World) -> str:
    """Nothing is lost, nothing is doubled."""
    return f"{await _before_the_ring(world)}; {await _before_the_mark(world)}"


async def _before_the_ring(world: World) -> str:
    """The broker is silent, so the bell and the announcements still wait when the web ends."""
    guests = await world.guests(10)
    world.redis.swallow()
    words = [await guest.say("Did anybody hear?") for guest in guests]
    require(all(word.statuses == [202] for word in words), "accepted at the first try")
    for web in WEBS:
        for pid in children(world.stack[web].pid):
            os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(world.redis.heal)
    took = await answered(world, within=_RUNG_WITHIN)
    return f"{len(words)} committed and not rung for: answered {took:.1f} s after"


async def _before_the_mark(world: World) -> str:
    """Discord takes the post and keeps its answer back; the worker ends meanwhile."""
    guest = await world.guest()
    await guest.say("This opens the thread")
    await world.settle()
    hold = world.discord.fault(_POST, hold=8.0, times=1)
    await guest.say("Was this said?")
    await until(lambda: hold.times == 0, "Discord took it", 15)
    await asyncio.sleep(0.5)  # it is in Discord by now, and nothing here knows of it
    await asyncio.to_thread(world.kill, "notifications")
    await world.settle(_SENT_WITHIN)
    return "posted and not marked: there once"
