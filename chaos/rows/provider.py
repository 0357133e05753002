"""A provider that fails in every way: F13."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from chaos import truth
from chaos.ledger import Word
from chaos.rows import row
from chaos.world import World, require, until

TOTAL_SECONDS = 60.0  # LLM_TOTAL_TIMEOUT
BREAKER_FAILURES, BREAKER_SECONDS = 5, 30.0
_SLACK = 15.0
_FAULTS = (
    *("error429", "error500", "error503", "hang", "drip5", "words20-cut5", "words20-pause5"),
    *("garbage", "mojibake", "empty", "html"),
)
# These have an answer: a part of it, or all that came.
_ANSWERED = ("flood", "words20-nodone")


@row("F13", "provider fails in thirteen ways; fallback models; the breaker")
async def provider_fails(world: World) -> str:
    """Every question ends in time, with an answer or a fallback text; the worker lives."""
    await asyncio.to_thread(world.restart, "replies", LLM_BREAKER_FAILURES="1000")
    try:
        ways = await _every_way(world)
        await asyncio.to_thread(
            world.restart, "replies", LLM_BREAKER_FAILURES="5", LLM_FALLBACK_MODELS="openai/echo"
        )
        return f"{ways}; {await _spared(world)}"
    finally:
        await asyncio.to_thread(world.restart, "replies", LLM_FALLBACK_MODELS="")


async def _every_way(world: World) -> str:
    pid = world.stack["replies"].pid
    other = await world.guest()
    await _ended(world, [await other.say("Has it started?")], 60)
    faults = [*_FAULTS, *_ANSWERED]
    watched, unwatched = await world.guests(len(faults)), await world.guests(len(faults))
    for guest in watched:
        guest.read()
    words = [
        await guest.say(f"[{fault}] How are you?")
        for guests in (watched, unwatched)
        for guest, fault in zip(guests, faults, strict=True)
    ]
    began = time.monotonic()
    well = await other.say("Is anybody well?")
    beside = await _ended(world, [well], 20)
    took = await _ended(world, words, TOTAL_SECONDS + _SLACK)
    require(world.stack["replies"].pid == pid, "the worker lives")
    _judge(world, words)
    return (
        f"{len(words)} questions over {time.monotonic() - began:.0f} s, the last ended after "
        f"{took:.1f} s; one beside them after {beside:.1f} s"
    )


def _judge(world: World, words: Sequence[Word]) -> None:
    rows = {one.id: one for one in truth.read(world.database_url, None).rows}
    for word in words:
        answer = rows[word.answer_id]
        if word.text.startswith(tuple(f"[{fault}]" for fault in _ANSWERED)):
            require(answer.status == "done", f"{word.text}: {answer.status} {answer.error}")
            continue
        # Bytes that are no UTF-8 may be read as something, or refused.
        if answer.status == "done" and word.text.startswith("[mojibake]"):
            continue
        seen = (answer.status, answer.degraded, bool(answer.content))
        require(seen == ("failed", True, True), f"{word.text}: {seen}")


async def _ended(world: World, words: Sequence[Word], within: float) -> float:
    wanted = {word.answer_id for word in words}

    def all_ended() -> bool:
        rows = truth.read(world.database_url, None).rows
        return wanted <= {one.id for one in rows if one.status in {"done", "failed"}}

    return await until(all_ended, f"{len(wanted)} answers have ended", within)


async def _spared(world: World) -> str:
    """The breaker: the model is not asked any more, then tried, then asked again."""
    guests, mark = await world.guests(5), time.monotonic()
    for number in range(BREAKER_FAILURES):
        await _ended(world, [await guests[0].say(f"[error500] {mark} {number}")], 30)
    opened = time.monotonic()
    words = [await guest.say(f"[error500] {mark} spared {guest.session}") for guest in guests]
    quick = await _ended(world, words, 10)
    calls = sum(world.stack.times_asked(word.text) for word in words)
    require(calls <= len(words) + 1, "all but one asked the fallback model alone")

    async def is_asked_again() -> bool:
        well = await guests[0].say(f"[echo] {mark} well?")
        await _ended(world, [well], 20)
        return _model(world, well) == "openai/asked"

    while not await is_asked_again():
        require(time.monotonic() < opened + BREAKER_SECONDS, "the model was tried in time")
        await asyncio.sleep(0.5)
    again = time.monotonic() - opened
    return (
        f"spared after {BREAKER_FAILURES} failures (answered in {quick:.1f} s), "
        f"asked again {again:.1f} s after"
    )


def _model(world: World, word: Word) -> str:
    with truth.connection(world.database_url) as found:
        asked = f"SELECT model FROM chat_app_chatmessage WHERE id = '{word.answer_id}'"
        return str(found.execute(asked).fetchone()[0])
