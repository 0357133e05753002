"""The process that makes the answers ends in the middle of them."""

from __future__ import annotations

import asyncio

import pytest

from tests.system.processes import Stack, wait_until
from tests.system.visitors import Entrance

LONG = "[words60-gap0.1]"


@pytest.mark.asyncio
async def test_a_reader_sees_a_restart_and_one_whole_answer_when_it_is_killed(
    stack: Stack, door: Entrance
) -> None:
    visitor = await door.visitor()
    async with visitor.follow() as stream:
        posted = await visitor.post(f"{LONG} Who survives?")
        await stream.until_event("delta", count=5)
        stack["replies"].kill()
        stack["replies"].start()
        await stream.until_event("restart")
        answer = await stream.until_event("answer")
        assert stream.error is None
        assert not stream.ended
    assert stream.joined(posted["answer_id"]) == answer.data["response"]
    assert stream.durable() == [2, 4]
    assert stack.times_asked(f"{LONG} Who survives?") == 2
    assert [pair["response"] for pair in await visitor.history()] == [answer.data["response"]]
    assert answer.data["response"].endswith("word59 ")


@pytest.mark.asyncio
async def test_an_answer_that_kills_it_every_time_fails_and_harms_nobody(
    stack: Stack, door: Entrance
) -> None:
    deadly, others = await door.visitor(), await door.visitors(5)
    question = "[hang] Be the end of me"
    await deadly.post(question)
    for attempt in (1, 2, 3):
        await asyncio.to_thread(
            wait_until, lambda n=attempt: stack.times_asked(question) == n, f"attempt {attempt}"
        )
        for other in others:
            await other.post(f"question {attempt}")
        stack["replies"].kill()
        stack["replies"].start()
    [pair] = await deadly.finished(1)
    assert pair["status"] == "failed"
    assert "try again" in pair["response"]
    assert stack.times_asked(question) == 3
    for other in others:
        answers = [pair["response"] for pair in await other.finished(3)]
        assert answers == [f"You said: question {attempt}" for attempt in (1, 2, 3)]


@pytest.mark.asyncio
async def test_running_answers_are_given_back_when_it_is_stopped(
    stack: Stack, door: Entrance
) -> None:
    question = "[wait30-echo] Take your time"
    visitor = await door.visitor()
    posted = await visitor.post(question)
    await asyncio.to_thread(wait_until, lambda: stack.times_asked(question) == 1, "it is asked")
    code = await asyncio.to_thread(stack["replies"].stop)
    status = await visitor.message(posted["answer_id"])
    assert (code, status["status"]) == (0, "queued")
    stack["replies"].start()
    await asyncio.to_thread(wait_until, lambda: stack.times_asked(question) == 2, "asked again")
    await visitor.stop(posted["answer_id"])
