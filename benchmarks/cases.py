"""The cases of conversations: latency, saturation, many at once, streams, Discord away."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.bench import Bench, case, ms
from benchmarks.visitors import Visitor, Waits, arrive, converse, leave

WAITED = 1.9  # seconds that an answer takes at the provider, and no more is its own
THINK = 1.0
WHOLE = "words40-wait1.9"
STREAMED = "words50-wait0.4-gap0.03"  # 1.9 s
STREAMED_100 = "words100-wait0.4-gap0.015"  # 1.9 s
INSTANT = "words40"


@case("first")
async def first_answer(bench: Bench) -> None:
    """What the first answer of new processes takes, beside the next ones."""
    visitors, waits = await arrive(bench.stack.url, 1), Waits()
    for _ in range(9):
        await visitors[0].ask(INSTANT, waits)
    bench.say("first answer", waits.last[0] * 1000, "ms")
    bench.say("the next ones, p50", ms(waits.last[1:], 0.5), "ms")
    streamed = Waits()
    for _ in range(9):
        await visitors[0].ask_streamed(INSTANT, streamed)
    bench.say("first streamed", streamed.last[0] * 1000, "ms")
    bench.say("the next ones, p50", ms(streamed.last[1:], 0.5), "ms")
    leave(visitors)


@case("waiting1")
async def one_waiting(bench: Bench) -> None:
    """One visitor, waiting form."""
    await _latency(bench, 1, WHOLE, stream=False)


@case("waiting100")
async def hundred_waiting(bench: Bench) -> None:
    """A hundred visitors, waiting form."""
    await _latency(bench, 100, WHOLE, stream=False, must=(25, 60))


@case("even100")
async def hundred_evenly(bench: Bench) -> None:
    """The same hundred, who ask 34 times a second, evenly, and not all within one second of three.

    Whoever thinks for exactly a second asks again beside those who were answered beside them.
    """
    await _latency(bench, 100, WHOLE, stream=False, within=WAITED + THINK)


@case("waiting200")
async def two_hundred_waiting(bench: Bench) -> None:
    """Two hundred visitors, waiting form."""
    await _latency(bench, 200, WHOLE, stream=False)


@case("streaming1")
async def one_streaming(bench: Bench) -> None:
    """One visitor, streaming."""
    await _latency(bench, 1, STREAMED, stream=True)


@case("streaming50")
async def fifty_streaming(bench: Bench) -> None:
    """Fifty visitors who stream answers of 100 tokens."""
    await _latency(bench, 50, STREAMED_100, stream=True, must=(None, 100))


@case("streaming100")
async def hundred_streaming(bench: Bench) -> None:
    """A hundred visitors, streaming."""
    await _latency(bench, 100, STREAMED, stream=True)


@case("streaming200")
async def two_hundred_streaming(bench: Bench) -> None:
    """Two hundred visitors, streaming: beyond what litellm does on one core."""
    await _latency(bench, 200, STREAMED, stream=True)


@case("saturation")
async def saturation(bench: Bench) -> None:
    """Visitors who never think, and a provider that answers at once."""
    load = {"model": INSTANT, "seconds": bench.seconds, "think": 0.0, "stream": False}
    bare = await bench.bare(visitors=50, **load)
    visitors = await arrive(bench.stack.url, 100)
    await converse(visitors, **{**load, "seconds": 1.0})
    meter = bench.meter()
    waits = await converse(visitors, **load)
    spent, count = meter.spent(), max(1, len(waits.last))
    bench.say("answered", count / waits.seconds, "messages/s",
              floor=len(bare["last"]) / bare["seconds"], must=150, at_least=True)  # fmt: skip
    bench.say("not answered", waits.failed, "messages", must=0)
    for name, cpu in spent.items():
        bench.say(f"CPU of {name}", cpu / count, "ms a message")
    own = (spent["web"] + spent["replies"]) / count - bare["cpu_ms"]
    bench.say("CPU of web and replies beyond litellm's", own, "ms a message",
              floor=bare["cpu_ms"], must=6)  # fmt: skip
    leave(visitors)


@case("waiting1000")
async def thousand_waiting(bench: Bench) -> None:
    """A thousand visitors who wait at the same time."""
    count = 100 if bench.is_short else 1000
    visitors, waits = await arrive(bench.stack.url, count), Waits()
    await asyncio.gather(*(visitor.ask("words40-wait5", waits) for visitor in visitors))
    bench.say("answered", len(waits.last), "of " + str(count), must=count, at_least=True)
    bench.say("added, p50", ms(waits.last, 0.5, 5.0), "ms")
    bench.say("added, the last", ms(waits.last, 1.0, 5.0), "ms")
    bench.say("web worker, the larger", max(bench.web_megabytes()), "MB resident", must=100)
    leave(visitors)


@case("streams1000")
async def thousand_streams(bench: Bench) -> None:
    """A thousand open event streams on two web workers; then one question in each."""
    count = 100 if bench.is_short else 1000
    visitors = await arrive(bench.stack.url, count)
    before = sum(bench.web_megabytes())
    streams = [_Stream(visitor) for visitor in visitors]
    await asyncio.gather(*(stream.open() for stream in streams), return_exceptions=True)
    opened = sum(bench.web_megabytes())
    bench.say("each", (opened - before) * 1024 / count, "KB resident", must=60)
    meter = bench.meter()
    await asyncio.gather(*(stream.ask() for stream in streams if stream.is_open))
    whole = await asyncio.gather(*(stream.heard(60) for stream in streams if stream.is_open))
    spent = meter.spent()
    bench.say("told all, in order", sum(whole), f"of {count}", must=count, at_least=True)
    bench.say("CPU of web", spent["web"] / count, "ms a message")
    bench.say("web worker, the larger", max(bench.web_megabytes()), "MB resident", must=100)
    for stream in streams:
        stream.close()
    leave(visitors)


class _Stream:
    """An open event stream of a visitor, who asks on another connection."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._reader = visitor, Visitor(visitor.url)
        self._answered = asyncio.Event()
        self._seen: list[tuple[str, Any]] = []
        self._asked: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self.is_open = False

    async def open(self) -> None:
        """Open it; the first message of the conversation shows that it is."""
        self._task = asyncio.create_task(self._read())
        await asyncio.sleep(0)
        await self._visitor.leave_question(INSTANT)
        await asyncio.wait_for(self._answered.wait(), 90)
        self._answered.clear()
        self._seen.clear()
        self.is_open = True

    async def ask(self) -> None:
        """Ask without waiting."""
        self._asked = await self._visitor.leave_question(INSTANT)

    async def heard(self, seconds: float) -> bool:
        """Whether the question, its pieces and its answer came, once each and in order."""
        try:
            await asyncio.wait_for(self._answered.wait(), seconds)
        except TimeoutError:
            return False
        told = [(name, data) for name, data in self._seen if name in {"message", "answer"}]
        if [name for name, _ in told] != ["message", "answer"]:
            return False
        text = "".join(data["text"] for name, data in self._seen if name == "delta")
        ids = (told[0][1]["id"], told[1][1]["answer_id"])
        return ids == (self._asked["message_id"], self._asked["answer_id"]) and (
            text == told[1][1]["response"]
        )

    def close(self) -> None:
        """Hang up."""
        self._reader.connection.close()
        if self._task:
            self._task.cancel()
            self._task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _read(self) -> None:
        headers = self._visitor.headers
        async for name, data, _ in self._reader.connection.stream(
            "GET", "/chat/events", headers=headers
        ):
            self._seen.append((name, data))
            if name == "answer":
                self._answered.set()


async def _latency(
    bench: Bench,
    count: int,
    model: str,
    *,
    stream: bool,
    must: tuple[float | None, float | None] = (None, None),
    within: float | None = None,
) -> None:
    load = {"model": model, "seconds": bench.seconds, "think": THINK, "stream": stream}
    load["within"] = within
    bare = await bench.bare(visitors=count, **load)
    visitors = await arrive(bench.stack.url, count)
    await converse(visitors, **{**load, "seconds": 0.1})
    waits = await converse(visitors, **load)
    leave(visitors)
    bench.say("answered", len(waits.last) / waits.seconds, "messages/s")
    bench.say("not answered", waits.failed, "messages", must=0)
    if stream:
        waited = float(model.split("wait")[1].partition("-")[0])
        for quantile, most in zip((0.5, 0.95), must, strict=True):
            bench.say(f"first token added, p{quantile * 100:.0f}",
                      ms(waits.first, quantile, waited), "ms",
                      floor=ms(bare["first"], quantile, waited), must=most)  # fmt: skip
        must = (None, None)
    for quantile, most in zip((0.5, 0.95), must, strict=True):
        bench.say(f"added, p{quantile * 100:.0f}", ms(waits.last, quantile, WAITED), "ms",
                  floor=ms(bare["last"], quantile, WAITED), must=most)  # fmt: skip
