"""Readers whose connection breaks: F16."""

from __future__ import annotations

import asyncio
import time

from chaos.rows import row
from chaos.rows.broker import answered
from chaos.wires import random_cuts
from chaos.world import World, require, until

_READERS = 20


@row("F16", "reader drops mid-stream and resumes; Redis flushed while streaming", short=True)
async def dropped(world: World) -> str:
    """What a reader joins is the stored answer, byte for byte."""
    guests = await world.guests(_READERS)
    readers = [guest.read() for guest in guests]
    words = [await guest.say("[words40-gap0.1] Hold on") for guest in guests]
    await until(lambda: all(len(reader.texts) for reader in readers), "all read", 30)
    for fault in (world.front.cut, world.broker().flushall, world.front.cut):
        await asyncio.sleep(0.7)
        await asyncio.to_thread(fault)
    for word, reader in zip(words, readers, strict=True):
        await until(lambda w=word, r=reader: w.answer_id in r.ended, "it is read to its end", 40)  # type: ignore[misc]
        require(not reader.torn, "joined text equals the stored answer")
    resumed = sum(reader.resumed for reader in readers)
    require(resumed >= _READERS, "they resumed")
    return f"{_READERS} readers, {resumed} resumptions, Redis flushed in between: 0 differ"


async def cut_at_random(world: World, *, resumptions: int, seed: int) -> str:
    """Cut streams at random bytes until so many have resumed; every text must be whole."""
    began, resumed, compared = time.monotonic(), 0, 0
    guests = await world.guests(50)
    readers = [guest.read() for guest in guests]
    while resumed < resumptions:
        world.front.cut_after = random_cuts(seed + compared, 200, 6000)
        world.front.cut()  # those that are open were opened without a limit
        words = await asyncio.gather(*(guest.say("[words60-gap0.05] On") for guest in guests))
        await answered(world, within=60)
        for word, reader in zip(words, readers, strict=True):
            await until(lambda w=word, r=reader: w.answer_id in r.ended, "it is read", 60)  # type: ignore[misc]
        world.front.cut_after = None
        compared += len(words)
        resumed = sum(reader.resumed for reader in readers)
    torn = sum(len(reader.torn) for reader in readers)
    require(not torn, f"{torn} texts differ")
    took = time.monotonic() - began
    return f"{resumed} resumptions of {compared} answers in {took:.0f} s, {torn} differ"
