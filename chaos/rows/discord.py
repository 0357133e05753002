"""Discord fails, forgets and is away; so is the bot: F14, F15."""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

from chaos.ledger import Guest
from chaos.rows import row
from chaos.rows.broker import ACCEPTED_WITHIN
from chaos.world import World, require, until
from tests.standins import discord_shapes as shapes
from tests.standins.discord import MODERATOR_ROLE

DANA = shapes.user("1000000000000000001", "dana")
_POST = "POST /channels/.*/messages$"
_SETTLED_WITHIN = 150.0  # the mirror tries a refused token again every 60 s
_DOWN_SECONDS = 15.0
_WORDS_EACH = 4


@row("F14", "Discord 401/403/429/5xx/slow/reset; thread deleted, archived, locked; down")
async def discord_fails(world: World) -> str:
    """All that was said arrives once, in order; chat is as quick as ever."""
    guests = await world.guests(10)
    before = await _say(guests)
    await world.settle(_SETTLED_WITHIN)
    during: list[float] = []
    for act in (_requests, _threads, _down, _refused):
        during += await act(world, guests)
        await world.settle(_SETTLED_WITHIN)
    median = statistics.median(during)
    require(median < ACCEPTED_WITHIN, f"accepted in {median:.2f} s")
    return (
        f"posts accepted in {median * 1000:.0f} ms (median; {statistics.median(before) * 1000:.0f} "
        f"ms before), all mirrored"
    )


async def _say(guests: list[Guest]) -> list[float]:
    words = [await guest.say("Is it mirrored?") for guest in guests]
    return [word.seconds[0] for word in words]


async def _requests(world: World, guests: list[Guest]) -> list[float]:
    """Limits of a route and of all, broken and slow answers, connections cut after the post."""
    faults: tuple[dict[str, Any], ...] = (
        {"status": 429, "retry_after": 1.0, "every": 3, "times": 4},
        {"status": 429, "retry_after": 2.0, "via": False, "times": 1},
        {"status": 500, "every": 2, "times": 4},
        {"status": 503, "every": 2, "times": 4},
        {"delay": 20.0, "times": 2},
        {"cut": True, "every": 2, "times": 4},
    )
    took = []
    for fault in faults:
        world.discord.fault(_POST, **fault)
        took += await _say(guests)
        await world.settle(_SETTLED_WITHIN)
        world.discord.faults.clear()
    return took


async def _threads(world: World, guests: list[Guest]) -> list[float]:
    """A thread is deleted by hand, another archived, another locked."""
    deleted, archived, locked = [thread_of(world, guest) for guest in guests[:3]]
    world.discord.delete_thread(deleted)
    world.discord.channels[archived]["thread_metadata"]["archived"] = True
    world.discord.channels[locked]["thread_metadata"].update(archived=True, locked=True)
    return await _say(guests)


async def _down(world: World, guests: list[Guest]) -> list[float]:
    """Away for longer than the first tries; an hour differs only in how long the pauses are."""
    world.discord.is_down = True
    took = []
    for _ in range(3):
        took += await _say(guests)
        await asyncio.sleep(_DOWN_SECONDS / 3)
    world.discord.is_down = False
    return took


async def _refused(world: World, guests: list[Guest]) -> list[float]:
    """The token, then a permission, is refused; it is repaired and nobody restarts anything."""
    took = []
    for status in (401, 403):
        world.discord.fault(".*", status=status)
        took += await _say(guests)
        await asyncio.sleep(3)
        world.discord.faults.clear()
        await world.settle(_SETTLED_WITHIN)
    return took


def thread_of(world: World, guest: Guest) -> str:
    """The conversation's thread in Discord; raises StopIteration where there is none."""
    name = f"Session {guest.session[:8]}"
    return next(key for key, one in world.discord.threads.items() if one["name"] == name)


@row("F15", "bot away while moderators write")
async def bot_away(world: World) -> str:
    """Each of their words reaches the visitor once, in order, on the bot's return."""
    guests = await world.guests(5)
    readers = [guest.read() for guest in guests]
    await _say(guests)
    await world.settle()
    await asyncio.to_thread(world.rest, "bot")
    for number in range(_WORDS_EACH):
        for guest in guests:
            await _write(world, guest, f"Word {number} of a person")
    world.wake("bot")
    due = len(guests) * _WORDS_EACH

    def came() -> bool:
        return sum(name == "message" for one in readers for _, name, _ in one.events) == due + 5

    took = await until(came, f"{due} words reach the visitors", 90)
    return f"{due} words written while it was away, all read once {took:.1f} s after its return"


async def _write(world: World, guest: Guest, text: str) -> None:
    thread = thread_of(world, guest)
    world.ledger.staff.append((guest.session, text))
    await asyncio.to_thread(world.discord.write, thread, DANA, text, roles=[MODERATOR_ROLE])
