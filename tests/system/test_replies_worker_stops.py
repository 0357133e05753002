"""The process that makes the answers is stopped; how it is killed and frozen, chaos/ tries."""

from __future__ import annotations

import asyncio

import pytest

from tests.system.processes import Stack
from tests.system.visitors import Entrance
from tests.waiting import wait_until


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
