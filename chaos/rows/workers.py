"""Processes that are killed, frozen, restarted: F1, F2, F3, F8, F9."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from typing import Any

from celery import Celery

from chaos import truth
from chaos.ledger import Guest, Reader, Word
from chaos.rows import row
from chaos.traffic import Traffic
from chaos.world import WEBS, Broken, World, require, until
from tests.system.machine import children

RECOVERED_WITHIN = 25.0
LEASE_SECONDS = 10.0  # ANSWER_LEASE_SECONDS
_ROLLS = 3
_WORKERS = ("replies", "notifications", "bot", "beat")


@row("F1", "kill -9 of the replies worker mid-answer", short=True)
async def replies_killed(world: World) -> str:
    """The stream stays open and says that it starts again; one answer is stored in time."""
    guest = await world.guest()
    reader = guest.read()
    seconds = await recovery(world, guest, reader)
    require(reader.resumed == 0, "the reader's stream stayed open")
    return f"answered {seconds:.1f} s after the kill (at most {RECOVERED_WITHIN:g})"


async def recovery(world: World, guest: Guest, reader: Reader) -> float:
    """Kill the replies worker in the middle of an answer; the seconds until it is stored."""
    word = await guest.say("[words30-gap0.1] Who survives?")
    await until(lambda: "word5 " in reader.texts.get(word.answer_id, ""), "pieces come", 30)
    began = time.monotonic()
    await asyncio.to_thread(world.kill, "replies")
    await until(lambda: word.answer_id in reader.ended, "the answer is stored", RECOVERED_WITHIN)
    require(reader.restarts[word.answer_id] >= 2, "the stream says that it starts again")
    return reader.ended[word.answer_id] - began


@row("F2", "kill -9 of a web worker", short=True)
async def web_killed(world: World) -> str:
    """Only what was in flight fails, and its retry finds the same message."""
    guest, *others = await world.guests(11)
    question = f"[wait3-echo] Once only {time.monotonic()}"
    word = guest.word(question)
    sending = asyncio.create_task(guest.send(word, wait=True))
    await until(lambda: world.stack.times_asked(question), "it is asked", 15)
    for web in WEBS:
        for pid in children(world.stack[web].pid):
            os.kill(pid, signal.SIGKILL)
    after = await asyncio.gather(*(other.say("And now?") for other in others))
    require(not await sending, "the request in flight failed")
    await guest.insist(word, within=30, wait=True)
    require(world.stack.times_asked(question) == 1, "the retry asked nothing anew")
    failed = [one for one in after if one.statuses[0] != 202]
    require(not failed, f"{len(failed)} later posts failed")
    return f"1 request failed and was replayed; {len(after)} posts during the restart, 0 failed"


@row("F3", "rolling restart of web, workers and bot at 50 posts/s, three times", short=True)
async def rolled(world: World) -> str:
    """No post fails, and no stream has a gap or a repeat."""
    if world.is_short:
        return await roll(world, rolls=1, per_second=10, workers=())
    return await roll(world, rolls=_ROLLS, per_second=50, workers=_WORKERS)


async def roll(world: World, *, rolls: int, per_second: float, workers: Sequence[str]) -> str:
    """Restart everything so often while visitors talk; what came of it."""
    guests = await world.guests(60)
    readers = [guest.read() for guest in guests[:10]]
    began = time.monotonic()
    async with Traffic(guests, per_second=per_second) as traffic:
        await asyncio.sleep(1)
        for number in range(rolls):
            # In turns as a reload and as a new deployment do it.
            await (_reload(world) if number % 2 == 0 else _replace(world))
            for name in workers:
                await asyncio.to_thread(world.restart, name)
    seconds = time.monotonic() - began
    failed = [word.statuses for word in traffic.failed]
    require(not failed, f"{len(failed)} of {len(traffic.words)} posts failed: {failed[:5]}")
    resumed = sum(reader.resumed for reader in readers)
    rate = len(traffic.words) / seconds
    return f"{len(traffic.words)} posts at {rate:.0f}/s, 0 failed; {resumed} streams resumed"


async def _reload(world: World) -> None:
    """SIGHUP: new workers take over the listening socket."""
    for web in WEBS:
        old = set(children(world.stack[web].pid))
        world.send(web, signal.SIGHUP)

        def is_new(web: str = web, old: set[int] = old) -> bool:
            now = set(children(world.stack[web].pid))
            return bool(now) and not now & old

        await until(is_new, f"{web} has a new worker", 60)


async def _replace(world: World) -> None:
    """SIGTERM: taken out of the balancer, ended, started again, put back when it is ready."""
    for web in WEBS:
        world.front.take_out(world.ports[web])
        await asyncio.sleep(0.2)  # what was accepted before is on its way
        await asyncio.to_thread(world.restart, web)
        await until(lambda web=web: world.is_ready(web), f"{web} is ready", 60)  # type: ignore[misc]
        world.front.put_in(world.ports[web])


@row("F8", "an answer that kills its process, every time")
async def deadly(world: World) -> str:
    """Three attempts, then a fallback text; the other sessions are answered."""
    guest, *others = await world.guests(6)
    question = f"[hang] Be the end of me {time.monotonic()}"
    word = await guest.say(question)
    said: list[Word] = []
    for attempt in (1, 2, 3):
        asked = lambda n=attempt: world.stack.times_asked(question) == n  # noqa: E731
        await until(asked, f"attempt {attempt}", RECOVERED_WITHIN)
        said += [await other.say(f"Question {attempt}?") for other in others]
        await asyncio.to_thread(world.kill, "replies")
    row = await _ended(world, word, RECOVERED_WITHIN)
    require((row.status, row.degraded) == ("failed", True), f"it is {row.status}")
    require(world.stack.times_asked(question) == 3, "three attempts")
    for one in said:
        require((await _ended(world, one, RECOVERED_WITHIN)).status == "done", one.text)
    return f"3 attempts, then the fallback text; {len(said)} other questions answered"


@row("F9", "one task delivered 5 times at once; a worker frozen past its lease that wakes")
async def delivered_often(world: World) -> str:
    """One call holds the lease, one answer is stored; the stale one cannot write."""
    guest = await world.guest()
    question = f"[words20-gap0.1] How often? {time.monotonic()}"
    word = await guest.say(question)
    await asyncio.to_thread(_ring, world, 5)
    await _ended(world, word, RECOVERED_WITHIN)
    require(world.stack.times_asked(question) == 1, "asked once")
    return f"5 bells at once: 1 call; {await _frozen(world, guest)}"


async def _frozen(world: World, guest: Guest) -> str:
    world.stack.add("second replies", [*world.stack["replies"].command, "-n", "second@%h"])
    question = f"[words40-gap0.1] Are you asleep? {time.monotonic()}"
    word = await guest.say(question)
    await until(lambda: world.stack.times_asked(question) == 1, "it is asked", 20)
    world.send("replies", signal.SIGSTOP)
    await until(lambda: world.stack.times_asked(question) == 2, "another takes it over", 40)
    row = await _ended(world, word, RECOVERED_WITHIN)
    world.send("replies", signal.SIGCONT)
    await asyncio.sleep(5)  # the old call has its end, and tries to write
    later = await _ended(world, word, 1)
    require(row == later and row.content.endswith("word39 "), "the first end stands")
    await asyncio.to_thread(world.stack.remove, "second replies")
    return "the frozen worker's end was not stored"


def _ring(world: World, times: int) -> None:
    app = Celery("bells", broker=f"redis://127.0.0.1:{world.stack.broker_port}/0")
    app.conf.broker_transport_options = {"global_keyprefix": "chatsite:"}
    with app.connection() as connection:
        for _ in range(times):
            app.send_task("chat_app.tasks.answer", queue="replies", connection=connection)


async def _ended(world: World, word: Word, within: float) -> truth.Row:
    """The answer's row once it is finished."""
    found: list[Any] = []

    def is_there() -> bool:
        found[:] = [
            one
            for one in truth.read(world.database_url, None).rows
            if one.id == word.answer_id and one.status in {"done", "failed", "stopped"}
        ]
        return bool(found)

    await until(is_there, f"{word.text!r} has ended", within)
    ended = found[0]
    if not isinstance(ended, truth.Row):
        raise Broken(word.text)
    return ended
