"""Many visitors and many readers at once, and what the web process weighs under them."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time

import pytest

from tests.system.machine import mapped_files, resident_megabytes
from tests.system.processes import ROOT, Stack
from tests.system.visitors import Entrance, Visitor
from tests.waiting import WITHIN

VISITORS, MESSAGES = 100, 5
# All in the bounded run (CHATSITE_FULL=1); `make bench` opens a thousand.
STREAMS = 500 if os.environ.get("CHATSITE_FULL") else 100
MEGABYTES_AT_FIRST = 100
# 250 streams a worker take about 20, and what was once allocated is mostly kept.
MEGABYTES_AFTER_THE_LOAD = 150


@pytest.mark.asyncio
async def test_answers_every_message_of_a_hundred_visitors_at_once(
    door: Entrance, figures: dict[str, str]
) -> None:
    visitors = await door.visitors(VISITORS)
    began = time.perf_counter()
    took = await asyncio.gather(*(_converse(visitor) for visitor in visitors))
    seconds = time.perf_counter() - began
    for visitor in visitors:
        pairs = await visitor.history()
        asked = [f"message {number}" for number in range(MESSAGES)]
        assert [pair["message"] for pair in pairs] == asked
        assert [pair["response"] for pair in pairs] == [f"You said: {text}" for text in asked]
    latencies = sorted(latency for one in took for latency in one)
    p95 = latencies[int(len(latencies) * 0.95)]
    figures[f"{VISITORS} visitors, {MESSAGES} messages each"] = (
        f"{len(latencies)} answered in {seconds:.1f} s, "
        f"p50 {statistics.median(latencies) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms"
    )


async def _converse(visitor: Visitor) -> list[float]:
    took = []
    for number in range(MESSAGES):
        began = time.perf_counter()
        status, body = await visitor.ask(f"message {number}")
        took.append(time.perf_counter() - began)
        assert (status, body["status"]) == (200, "done"), body
    return took


@pytest.mark.asyncio
async def test_tells_each_of_many_open_streams_its_own_messages(
    stack: Stack, door: Entrance, figures: dict[str, str]
) -> None:
    visitors = await door.visitors(STREAMS)
    everybody_listens, everybody_heard = asyncio.Event(), asyncio.Event()
    counts = {"open": 0, "heard": 0}

    async def listen(number: int, visitor: Visitor) -> list[str]:
        async with visitor.follow() as stream:
            counts["open"] += 1
            if counts["open"] == STREAMS:
                everybody_listens.set()
            await everybody_listens.wait()
            posted = await visitor.post(f"this is {number}")
            await stream.until_event("answer", within=2 * WITHIN)
            assert stream.joined(posted["answer_id"]) == f"You said: this is {number}"
            counts["heard"] += 1
            if counts["heard"] == STREAMS:
                everybody_heard.set()
            await everybody_heard.wait()  # so that all stay open until all were told
            assert stream.error is None
            return [event.name for event in stream.events if event.id]

    began = time.perf_counter()
    seen = await asyncio.gather(*(listen(*one) for one in enumerate(visitors)))
    assert seen == [["message", "answer"]] * STREAMS
    figures[f"{STREAMS} open streams"] = (
        f"a message in each answered and told in {time.perf_counter() - began:.1f} s by "
        f"{len(stack.web_workers())} web workers"
    )


def test_web_workers_stay_small(stack: Stack, figures: dict[str, str]) -> None:
    sizes = [resident_megabytes(pid) for pid in stack.web_workers()]
    figures["web workers' resident megabytes after the load"] = " and ".join(
        f"{size:.0f}" for size in sizes
    )
    assert len(sizes) == 2
    assert max(stack.megabytes_at_first) < MEGABYTES_AT_FIRST
    assert max(sizes) < MEGABYTES_AFTER_THE_LOAD


def test_web_workers_have_loaded_no_provider_library(stack: Stack) -> None:
    files = "".join(mapped_files(pid) for pid in stack.web_workers())
    # litellm cannot be imported without these two compiled modules.
    assert "tokenizers" not in files
    assert "tiktoken" not in files


def test_serving_imports_neither_litellm_nor_discord(stack: Stack) -> None:
    wanted = "import sys, chatsite.asgi; print({'litellm', 'discord'} & set(sys.modules) or 'none')"
    found = subprocess.run(
        [sys.executable, "-c", wanted],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN,
    )
    assert found.stdout.strip() == "none", os.linesep + found.stderr
