"""Visitors who ask, think and ask again, and what they waited for."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.client import Connection

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
_numbers = itertools.count(1)
_TEXTS = (
    "Do you ship to Norway, and what does it cost?",
    "Which of the two grinders is quieter?",
    "Can I send back what I opened?",
    "When will the blue one be there again?",
    "Is there a discount for students?",
)


@dataclass
class Waits:
    """Seconds until the first word and until the whole answer, one of each an answer."""

    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0


class Visitor:
    """Somebody with a session and a kept connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        host, port = url.removeprefix("http://").split(":")
        self.connection = Connection(host, int(port))
        self.number = next(_numbers)
        address = f"10.{self.number >> 16 & 255}.{self.number >> 8 & 255}.{self.number & 255}"
        self.headers = f"User-Agent: {AGENT}\r\nX-Forwarded-For: {address}\r\n"
        self.session = ""
        self._asked = 0

    async def sign_in(self) -> None:
        """Open a session."""
        body = {"email": f"visitor{self.number}@example.org"}
        status, found = await self.connection.call("POST", "/auth/email", body, self.headers)
        assert status == 200, found
        self.session = found["session_id"]
        self.headers += f"Authorization: Bearer {found['access_token']}\r\n"

    def question(self, model: str) -> dict[str, str]:
        """What is asked next; its beginning tells the provider how to answer."""
        self._asked += 1
        text = _TEXTS[(self.number + self._asked) % len(_TEXTS)]
        return {"message": f"[{model}] {text} ({self.number}-{self._asked})"}

    async def ask(self, model: str, waits: Waits) -> None:
        """Ask and wait for the whole answer."""
        began = time.perf_counter()
        status, found = await self.connection.call(
            "POST", "/chat", self.question(model), self.headers
        )
        took = time.perf_counter() - began
        if status != 200 or found["status"] != "done":
            waits.failed += 1
            return
        waits.first.append(took)
        waits.last.append(took)

    async def leave_question(self, model: str) -> dict[str, Any]:
        """Ask without waiting; what was accepted."""
        status, found = await self.connection.call(
            "POST", "/chat", self.question(model), self.headers + "Prefer: respond-async\r\n"
        )
        assert status == 202, found
        accepted: dict[str, Any] = found
        return accepted

    async def ask_streamed(self, model: str, waits: Waits) -> None:
        """Ask and read the answer as it is made."""
        began, first, last, status = time.perf_counter(), 0.0, 0.0, ""
        events = self.connection.stream("POST", "/chat", self.question(model), self.headers)
        async for name, data, now in events:
            last = now - began
            if name == "delta" and not first:
                first = last
            if name == "answer":
                status = data["status"]
        if status != "done":
            waits.failed += 1
            return
        waits.first.append(first)
        waits.last.append(last)


async def arrive(url: str, count: int, at_once: int = 20) -> list[Visitor]:
    """So many visitors, signed in."""
    gate, found = asyncio.Semaphore(at_once), [Visitor(url) for _ in range(count)]

    async def enter(visitor: Visitor) -> None:
        async with gate:
            await visitor.sign_in()

    await asyncio.gather(*map(enter, found))
    return found


async def converse(
    visitors: Sequence[Visitor],
    *,
    model: str,
    seconds: float,
    think: float,
    stream: bool,
    within: float | None = None,
) -> Waits:
    """Have each of them ask, wait and think, again and again.

    They begin `within` so many seconds, evenly; else within the time that they think.
    """
    waits, began = Waits(), time.perf_counter()

    async def one(place: int, visitor: Visitor) -> None:
        await asyncio.sleep((within or think) * place / len(visitors))
        while time.perf_counter() < began + seconds:
            await (visitor.ask_streamed if stream else visitor.ask)(model, waits)
            await asyncio.sleep(think)

    await asyncio.gather(*(one(*each) for each in enumerate(visitors)))
    waits.seconds = time.perf_counter() - began
    return waits


async def at_rate(rate: float, seconds: float, act: Callable[[int], Awaitable[Any]]) -> list[float]:
    """Call `act` so many times a second, whatever it takes; how long each took."""
    began, took = time.perf_counter(), []

    async def one(number: int) -> None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await act(number)
        took.append(time.perf_counter() - due)  # from when it was due: a late start counts

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return took


def leave(visitors: Sequence[Visitor]) -> None:
    """Close their connections."""
    for visitor in visitors:
        visitor.connection.close()
