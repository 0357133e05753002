"""The signing key is rotated while visitors talk: F19."""

from __future__ import annotations

import asyncio

from chaos.rows import row
from chaos.rows.broker import answered
from chaos.traffic import Traffic
from chaos.world import WEBS, World, require

_KEYS = {"old": "system-jwt-" + "j" * 40, "new": "rotated-jwt-" + "n" * 40}


@row("F19", "signing key rotated")
async def rotated(world: World) -> str:
    """Tokens of the old key hold, those of the new one too; a key taken out ends its tokens."""
    before = await world.guests(8)
    async with Traffic(before, per_second=8) as traffic:
        await _deploy(world, _KEYS["old"], _KEYS["new"])
        await _deploy(world, _KEYS["new"], _KEYS["old"])
        after = await world.guests(8)
        words = [await guest.say("Is the new key good?") for guest in after]
    require(not traffic.failed, f"{len(traffic.failed)} posts failed")
    require(all(word.statuses == [202] for word in words), "new tokens are good everywhere")
    await answered(world, within=60)
    await _deploy(world, _KEYS["new"], "")
    last = before[0].word("Is the old key still good?")
    await before[0].send(last)
    require(last.statuses == [401], f"a key that was taken out: {last.statuses}")
    await _deploy(world, _KEYS["old"], "")
    return f"{len(traffic.words)} posts with old tokens, 0 failed; taken out: 401"


async def _deploy(world: World, key: str, previous: str) -> None:
    """Each web process in turn, as in a deployment (docs/keys.md)."""
    for web in WEBS:
        world.front.take_out(world.ports[web])
        await asyncio.sleep(0.2)
        await asyncio.to_thread(world.restart, web, JWT_SECRET_KEY=key, JWT_PREVIOUS_KEYS=previous)
        await asyncio.to_thread(world.wait_until_ready)
        world.front.put_in(world.ports[web])
