"""Runs that take long: many messages, many kills, many minutes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from chaos import schedule, truth
from chaos.rows.workers import RECOVERED_WITHIN, recovery
from chaos.traffic import Traffic
from chaos.world import Broken, World, require
from tests.system.machine import children, resident_megabytes

_SAMPLE_SECONDS = 5.0
_MOST_GROWTH = 0.05
_GUESTS = 200

# By process: what it holds of each thing.
Sample = dict[str, dict[str, float]]


async def recoveries(world: World, *, times: int) -> str:
    """kill -9 in the middle of an answer, so often; each has its answer in time."""
    took = []
    for _ in range(times):
        guest = await world.guest()
        reader = guest.read()
        took.append(await recovery(world, guest, reader))
        await reader.close()
        world.ledger.readers.remove(reader)
    took.sort()
    middle, last = took[len(took) // 2], took[-1]
    spread = f"median {middle:.1f} s, {last:.1f} s at most"
    return f"{len(took)} of {times} within {RECOVERED_WITHIN:g} s: {spread}"


async def messages(world: World, *, most: int, seed: int) -> str:
    """So many messages, as fast as the machine goes, with faults all the while."""
    guests = await world.guests(_GUESTS)
    for guest in guests[:20]:
        guest.read()
    began = time.monotonic()
    breaking = asyncio.create_task(schedule.for_ever(world, seed=seed))
    try:
        async with Traffic(guests, per_second=1000, within=300, most=most) as traffic:
            await traffic.finish()
        if breaking.done():
            breaking.result()  # a fault that could not be made is a fault of the run
    finally:
        breaking.cancel()
        await asyncio.gather(breaking, return_exceptions=True)
        await asyncio.to_thread(world.heal)
    seconds = time.monotonic() - began
    require(all(word.was_accepted for word in traffic.words), "every message was accepted")
    left = await world.settle(within=max(300.0, seconds * 2))
    rate = len(traffic.words) / seconds
    return (
        f"{len(traffic.words)} messages in {seconds:.0f} s ({rate:.0f}/s), "
        f"{len(traffic.failed)} not at the first try, all settled {left:.0f} s after"
    )


async def soak(world: World, *, minutes: float, per_second: float) -> str:
    """A steady stream of messages; what the processes hold must not grow."""
    guests = await world.guests(100)
    for guest in guests[:20]:
        guest.read()
    samples: list[Sample] = []
    deadline = time.monotonic() + minutes * 60
    async with Traffic(guests, per_second=per_second) as traffic:
        while time.monotonic() < deadline:
            await asyncio.sleep(_SAMPLE_SECONDS)
            samples.append(await asyncio.to_thread(_sample, world))
    await world.settle()
    began, ended = _average(samples, first=True), _average(samples, first=False)
    said = [f"{len(traffic.words)} messages, {len(traffic.failed)} not at the first try"]
    said += [_compared(name, began[name], ended[name]) for name in began]
    figures = "; ".join(said)
    grown = [name for name in began if _growth(began[name], ended[name]) > _MOST_GROWTH]
    if grown:
        raise Broken(f"grew more than {_MOST_GROWTH:.0%}: {', '.join(grown)}; {figures}")
    return figures


def _compared(name: str, before: dict[str, float], after: dict[str, float]) -> str:
    parts = [f"{before[what]:.0f}→{after[what]:.0f} {what}" for what in before]
    return f"{name} {', '.join(parts)} ({_growth(before, after):+.1%})"


def _growth(before: dict[str, float], after: dict[str, float]) -> float:
    """Of what it holds most of: memory, or the database's connections."""
    what = next(iter(before))
    return after[what] / before[what] - 1


def _sample(world: World) -> Sample:
    """Megabytes and open files of each process of ours, and the database's connections."""
    found: Sample = {}
    for process in world.stack:
        if process.name not in {"broker", "provider"}:
            pids = [process.pid, *children(process.pid)]
            found[process.name] = {
                "MB": sum(resident_megabytes(pid) for pid in pids),
                "files": float(sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)),
            }
    if not world.is_sqlite:
        found["PostgreSQL"] = {"connections": float(_connections(world))}
    return found


def _connections(world: World) -> int:
    with truth.connection(world.database_url) as found:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        return int(found.execute(asked).fetchone()[0])


def _average(samples: list[Sample], *, first: bool) -> Sample:
    """The averages over a fifth of the run: the second one, once all is warm, or the last."""
    fifth = max(1, len(samples) // 5)
    part = samples[fifth : 2 * fifth] if first else samples[-fifth:]
    return {
        name: {what: sum(one[name][what] for one in part) / len(part) for what in held}
        for name, held in part[0].items()
    }
