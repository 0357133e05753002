"""More than can be answered now: F18."""

from __future__ import annotations

import asyncio
import signal

from chaos import truth
from chaos.ledger import Guest, Word
from chaos.rows import row
from chaos.rows.broker import answered
from chaos.world import WEBS, World, require

BOUND = 500
_GREEDY, _OTHERS = 100, 40
_DRAINED_WITHIN = 120.0


@row("F18", "500 queued answers, worker stopped")
async def backlog(world: World) -> str:
    """Accepted up to the bound, then 503 with Retry-After; drained in order; nobody starves."""
    for web in WEBS:
        await asyncio.to_thread(world.restart, web, BACKLOG_LIMIT=str(BOUND))
    await asyncio.to_thread(world.wait_until_ready)
    try:
        return await _fill(world)
    finally:
        world.send("replies", signal.SIGCONT)
        for web in WEBS:
            await asyncio.to_thread(world.restart, web, BACKLOG_LIMIT="5000")


async def _fill(world: World) -> str:
    greedy, *others = await world.guests(1 + _OTHERS)
    world.send("replies", signal.SIGSTOP)
    words = [await greedy.say(f"Me first {number}!") for number in range(_GREEDY)]
    each = (BOUND - _GREEDY) // _OTHERS
    for batch in await asyncio.gather(*(_ask(other, each) for other in others)):
        words += batch
    require(all(word.statuses == [202] for word in words), f"{BOUND} are accepted")
    refused = [await _refused(other) for other in others[:5]]
    world.send("replies", signal.SIGCONT)
    took = await answered(world, within=_DRAINED_WITHIN)
    place = _place_of_the_last_first(world, others)
    require(place < BOUND / 2, f"somebody's first question was answered as the {place}th")
    return (
        f"{len(words)} accepted, then {len(refused)} of {len(refused)} got 503, Retry-After "
        f"{refused[0].retry_after[0]}; drained in {took:.1f} s; each of {_OTHERS} others had a "
        f"first answer by the {place}th of {BOUND}"
    )


async def _ask(guest: Guest, count: int) -> list[Word]:
    return [await guest.say(f"Question {number}?") for number in range(count)]


async def _refused(guest: Guest) -> Word:
    word = guest.word("Too many?")
    await guest.send(word)
    require(word.statuses == [503] and word.retry_after[0], f"answered {word.statuses}")
    return word


def _place_of_the_last_first(world: World, others: list[Guest]) -> int:
    """How many answers had ended when the last of the others had a first one."""
    wanted = {other.session for other in others}
    with truth.connection(world.database_url) as found:
        ended = found.execute(
            "SELECT session_id FROM chat_app_chatmessage WHERE message_type = 'assistant'"
            " AND content LIKE 'You said: %' AND finished_at IS NOT NULL ORDER BY finished_at DESC"
            f" LIMIT {BOUND}"
        ).fetchall()
    for place, (session,) in enumerate(reversed(ended), start=1):
        wanted.discard(session)
        if not wanted:
            return place
    return BOUND
