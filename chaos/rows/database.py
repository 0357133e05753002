"""Everything at once, and a database that goes away: F10, F11, F12."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

from chaos import truth
from chaos.ledger import ACCEPTED, Guest, Word
from chaos.rows import row
from chaos.rows.broker import answered
from chaos.world import WEBS, World, require, until
from tests.system.machine import children

REFUSED_WITHIN = 2.0
_AT_ONCE = 20
_AWAY_SECONDS, _ENDING_SECONDS = 4.0, 2.0
_LOCKED_SHORTLY, _LOCKED_LONG = 3.0, 30.0
_READ_WITHIN = 5.0


@row("F10", "20 posts at once in one session; one key 20 times at once", short=True)
async def at_once(world: World) -> str:
    """One total order, answers linked by reply_to; one row for one key."""
    guest, other = await world.guests(2)
    words = [guest.word(f"At once {number}?", at_once=True) for number in range(_AT_ONCE)]
    await asyncio.gather(*(guest.insist(word, within=60) for word in words))
    word = other.word("Only once?")
    await asyncio.gather(*(other.send(word) for _ in range(_AT_ONCE)))
    require(set(word.statuses) <= set(ACCEPTED), f"one key: {word.statuses}")
    await answered(world, within=60)
    held = await asyncio.to_thread(truth.read, world.database_url, None)
    rows = [one for one in held.rows if one.session == other.session and one.kind == "user"]
    seqs = [one.seq for one in held.rows if one.session == guest.session]
    require(len(rows) == 1, f"one key made {len(rows)} rows")
    require(len(set(seqs)) == 2 * _AT_ONCE, "one total order")
    return f"{_AT_ONCE} questions, {len(seqs)} numbers; one key {_AT_ONCE} times, 1 row"


@row("F11", "PostgreSQL restarts; backends end mid-transaction", short=True, only="postgres")
async def postgres_away(world: World) -> str:
    """During: 503 with Retry-After in time. After: no errors. Nothing uncommitted is promised."""
    assert world.postgres is not None
    guests = await world.guests(20)
    refused = await _while(world, guests, world.postgres.refuse, _AWAY_SECONDS)
    await asyncio.to_thread(world.postgres.heal)
    await _works(world, guests)
    ending = asyncio.create_task(asyncio.to_thread(_end_backends, world))
    ended = await _while(world, guests, lambda: None, _ENDING_SECONDS)
    await ending
    await _works(world, guests)
    return (
        f"away {_AWAY_SECONDS:g} s: {_said(refused)}; backends ended: {_said(ended)}; then 0 errors"
    )


async def _while(
    world: World, guests: list[Guest], fault: Callable[[], object], seconds: float
) -> list[Word]:
    """What these guests were told from the moment of the fault on."""
    words: list[Word] = []
    deadline = time.monotonic() + seconds
    await asyncio.to_thread(fault)
    while time.monotonic() < deadline:
        batch = [guest.word(f"During {number}?") for number, guest in enumerate(guests)]
        await asyncio.gather(*(guest.send(word) for guest, word in zip(guests, batch, strict=True)))
        words += batch
        await asyncio.sleep(0.2)
    for word in words:
        _is_refused_well(word)
    return words


def _is_refused_well(word: Word, within: float = REFUSED_WITHIN) -> None:
    status, seconds, retry = word.statuses[0], word.seconds[0], word.retry_after[0]
    require(status in (*ACCEPTED, 503), f"answered {status}")
    if status == 503:
        require(retry, "a 503 without Retry-After")
        require(seconds < within, f"503 after {seconds:.1f} s")


def _said(words: list[Word]) -> str:
    refused = [word for word in words if word.statuses[0] == 503]
    slowest = max((word.seconds[0] for word in refused), default=0.0)
    return f"{len(refused)} of {len(words)} got 503, the slowest after {slowest:.2f} s"


async def _works(world: World, guests: list[Guest]) -> None:
    await until(world.is_ready, "it is ready again", 30)
    words = [await guest.say("After?", within=1) for guest in guests]
    require(all(word.statuses == [202] for word in words), "no errors afterwards")


def _end_backends(world: World) -> None:
    with truth.connection(world.database_url) as found:
        deadline = time.monotonic() + _ENDING_SECONDS
        while time.monotonic() < deadline:
            found.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            time.sleep(0.05)


@row("F12", "SQLite locked 3 s and 30 s; disk full", only="sqlite")
async def sqlite_away(world: World) -> str:
    """Short locks are waited for, long ones are 503; history is readable; it recovers alone."""
    # No more than one server takes in two turns, should all come to it: a third turn would outlast
    # the long lock, and be right to be accepted.
    guests = await world.guests(6)
    for guest in guests:
        await guest.say("Before?")
    await answered(world, within=60)
    said = []
    async with locked(world, _LOCKED_SHORTLY):
        words = await asyncio.gather(*(guest.say("Locked?", within=1) for guest in guests))
        require(all(word.statuses == [202] for word in words), "a short lock is waited for")
        said.append(f"3 s: all waited, {max(word.seconds[0] for word in words):.1f} s at most")
    async with locked(world, _LOCKED_LONG):
        said.append(f"30 s: {await _refused(guests, within=_LOCKED_LONG)}")
    await _works(world, guests)
    said.append(f"full: {await _full(world, guests)}")
    await _works(world, guests)
    await answered(world, within=60)
    return "; ".join(said)


async def _refused(guests: list[Guest], *, within: float) -> str:
    words = [guest.word("Refused?") for guest in guests]
    sending = [
        asyncio.create_task(guest.send(word)) for guest, word in zip(guests, words, strict=True)
    ]
    await asyncio.sleep(1)  # all of them wait by now
    try:
        read = [await _history(guest) for guest in guests]
    finally:
        await asyncio.gather(*sending)
    for word in words:
        require(word.statuses == [503], f"answered {word.statuses}")
        _is_refused_well(word, within)
    slowest = max(word.seconds[0] for word in words)
    return f"{len(words)} got 503 after {slowest:.1f} s at most, history in {max(read):.1f} s"


async def _history(guest: Guest) -> float:
    began = time.monotonic()
    pairs = await guest.visitor.history()
    require(pairs, "the history is readable")
    seconds = time.monotonic() - began
    require(seconds < _READ_WITHIN, f"history after {seconds:.1f} s")
    return seconds


@asynccontextmanager
async def locked(world: World, seconds: float) -> AsyncIterator[None]:
    """Another process holds the write lock, for so long."""

    def hold() -> None:
        path = world.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as found:
            found.execute("BEGIN IMMEDIATE")
            held.set()
            time.sleep(seconds)
            found.execute("ROLLBACK")

    held = threading.Event()
    holding = asyncio.create_task(asyncio.to_thread(hold))
    await asyncio.to_thread(held.wait, 60)
    try:
        yield
    finally:
        await holding


async def _full(world: World, guests: list[Guest]) -> str:
    """No process may make a file larger, as when the disk is full."""
    pids = [pid for web in WEBS for pid in children(world.stack[web].pid)]
    pids.append(world.stack["replies"].pid)
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        return await _refused(guests, within=15.0)
    finally:
        for pid in pids:
            limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
