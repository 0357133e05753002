"""gunicorn is stopped with streams open; how its workers are killed and reloaded, chaos/ tries."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest

from tests.system.processes import Stack
from tests.system.visitors import Entrance
from tests.waiting import wait_until

GRACEFUL_SECONDS = 30.0  # gunicorn.conf.py


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
