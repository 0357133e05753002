"""Web workers are killed, and gunicorn is stopped and reloaded, with requests and streams open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import aiohttp
import pytest

from tests.system.processes import Stack, wait_until
from tests.system.visitors import Entrance, Visitor

GRACEFUL_SECONDS = 30.0  # gunicorn.conf.py


@pytest.mark.asyncio
async def test_a_retry_with_the_same_key_gets_the_same_message_when_a_worker_is_killed(
    stack: Stack, door: Entrance
) -> None:
    visitor = await door.visitor()
    question, key = "[wait3-echo] Once only", {"Idempotency-Key": "once-only"}
    first = asyncio.create_task(visitor.ask(question, **key))
    await asyncio.to_thread(wait_until, lambda: stack.times_asked(question), "it is asked")
    for pid in stack.web_workers():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(aiohttp.ClientError):
        await first
    status, body = await visitor.ask(question, **key)
    assert (status, body["status"]) == (200, "done")
    [pair] = await visitor.history()
    assert (pair["id"], pair["response"]) == (body["message_id"], f"You said: {question}")
    assert stack.times_asked(question) == 1


@pytest.mark.asyncio
async def test_a_stream_resumes_without_gap_or_repeat_when_its_worker_is_killed(
    stack: Stack, door: Entrance
) -> None:
    visitor = await door.visitor()
    async with visitor.follow() as before:
        await _ask_three(visitor, "before")
        await before.until_event("answer", count=3)
        server = stack.web_worker_of(before.local_port)
        os.kill(server, signal.SIGKILL)
        await before.until_ended()
    assert before.error is not None
    await _ask_three(visitor, "between")
    async with visitor.follow(last_event_id=before.durable()[-1]) as after:
        assert stack.web_worker_of(after.local_port) != server
        await _ask_three(visitor, "after")
        await after.until_event("answer", count=6)
    async with visitor.follow() as whole:
        await whole.until_event("answer", count=9)
    assert before.durable() + after.durable() == whole.durable()
    said = [
        event.data["response"] for stream in (before, after) for event in stream.named("answer")
    ]
    assert said == [
        f"You said: {when} {number}"
        for when in ("before", "between", "after")
        for number in range(3)
    ]


@pytest.mark.asyncio
async def test_open_streams_end_in_order_when_the_server_is_stopped(
    stack: Stack, door: Entrance
) -> None:
    visitors = await door.visitors(40)
    async with contextlib.AsyncExitStack() as open_streams:
        streams = [await open_streams.enter_async_context(one.follow()) for one in visitors]
        await visitors[0].post("Anybody?")
        await streams[0].until_event("answer")
        code = await asyncio.to_thread(stack["web"].stop, GRACEFUL_SECONDS)
        for stream in streams:
            await stream.until_ended()
        assert [stream.error for stream in streams] == [None] * len(streams)
    assert code == 0


def test_a_worker_that_is_just_starting_is_stopped_too(stack: Stack) -> None:
    before = stack.web_workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(set(stack.web_workers()) - set(before)) == 1, "another one starts")
    assert stack["web"].stop(GRACEFUL_SECONDS / 2) == 0


@pytest.mark.asyncio
async def test_no_post_fails_while_it_reloads(stack: Stack, door: Entrance) -> None:
    visitors = await door.visitors(8)
    before = stack.web_workers()
    done = asyncio.Event()
    posting = [asyncio.create_task(_post_until(done, visitor)) for visitor in visitors]
    for _ in range(2):
        await asyncio.sleep(0.5)
        stack["web"].send(signal.SIGHUP)
        await asyncio.to_thread(
            wait_until, lambda old=before: _are_new(stack, old), "there are new workers"
        )
        before = stack.web_workers()
    done.set()
    counts = await asyncio.gather(*posting)
    for visitor, count in zip(visitors, counts, strict=True):
        assert len(await visitor.history()) == count


async def _post_until(done: asyncio.Event, visitor: Visitor) -> int:
    count = 0
    while not done.is_set():
        await visitor.post(f"post {count}")
        count += 1
        await asyncio.sleep(0.1)
    return count


async def _ask_three(visitor: Visitor, when: str) -> None:
    for number in range(3):
        status, _ = await visitor.ask(f"{when} {number}")
        assert status == 200


def _are_new(stack: Stack, old: list[int]) -> bool:
    now = stack.web_workers()
    return len(now) == 2 and not set(now) & set(old)
