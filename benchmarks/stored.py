"""The cases of stored conversations: signing in, histories, and tables that grow."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks import filling
from benchmarks.bench import Bench, case, ms
from benchmarks.visitors import Visitor, arrive, at_rate, leave

RATE = 50.0
_CONNECTIONS = 20


@case("auth")
async def signing_in(bench: Bench) -> None:
    """POST /auth/email, so many times a second."""
    visitors = [Visitor(bench.stack.url) for _ in range(int(RATE * bench.seconds) + 1)]
    doors = [Visitor(bench.stack.url) for _ in range(_CONNECTIONS)]
    free: asyncio.Queue[Visitor] = asyncio.Queue()
    for door in doors:
        free.put_nowait(door)

    async def enter(number: int) -> None:
        door = await free.get()
        visitors[number].connection = door.connection
        await visitors[number].sign_in()
        free.put_nowait(door)

    await at_rate(RATE, 1.0, enter)
    meter = bench.meter()
    took = await at_rate(RATE, bench.seconds, enter)
    spent = meter.spent()
    bench.say("p50", ms(took, 0.5), "ms")
    bench.say("p95", ms(took, 0.95), "ms", must=80)
    bench.say("CPU of web", spent["web"] / len(took), "ms a request")
    leave(doors)


@case("history")
async def histories(bench: Bench) -> None:
    """50 pairs of a session that has 5,000 messages, and of one that has 10,000."""
    for size, most in ((5_000, 50), (10_000, None)):
        visitors = await arrive(bench.stack.url, 1)
        await asyncio.to_thread(
            filling.lengthen, bench.stack.environment(), visitors[0].session, size
        )
        await _read(bench, visitors[0], f"50 of {size:,}", size, most)
        leave(visitors)


@case("growth")
async def growth(bench: Bench) -> None:
    """The same page, as the table grows a hundredfold."""
    sizes = (1_000, 10_000) if bench.is_short else (10_000, 1_000_000)
    visitors = await arrive(bench.stack.url, 1)
    await asyncio.to_thread(filling.lengthen, bench.stack.environment(), visitors[0].session, 400)
    medians = []
    for size in sizes:
        await asyncio.to_thread(filling.grow, bench.stack.environment(), size)
        medians.append(await _read(bench, visitors[0], f"50 of 400 among {size:,}", 400))
    bench.say("grown a hundredfold, p50", medians[1] / medians[0], "times", must=1.2)
    leave(visitors)


async def _read(
    bench: Bench, visitor: Visitor, what: str, messages: int, most: float | None = None
) -> float:
    readers = [Visitor(bench.stack.url) for _ in range(_CONNECTIONS)]
    free: asyncio.Queue[Visitor] = asyncio.Queue()
    for reader in readers:
        free.put_nowait(reader)

    async def read(number: int) -> None:
        reader = await free.get()
        # Pages from all over the session: what a process has just shown helps it little.
        before = 102 + number * 7919 % (messages - 100)
        path = f"/chat/history?limit=50&before={before}"
        status, found = await reader.connection.call("GET", path, headers=visitor.headers)
        assert (status, len(found["messages"])) == (200, 50), _brief(found)
        free.put_nowait(reader)

    await at_rate(RATE, 1.0, read)
    took = await at_rate(RATE, bench.seconds, read)
    leave(readers)
    bench.say(f"{what}, p50", ms(took, 0.5), "ms")
    bench.say(f"{what}, p95", ms(took, 0.95), "ms", must=most)
    return ms(took, 0.5)


def _brief(found: Any) -> str:
    return str(found)[:300]
