"""The notifications worker's mirror: one event loop that sends what is owed, a thread at a time.

Celery's bell only wakes it; what is owed, and who sends it, the database says."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from chatsite.core import metrics
from notifications import discord_client, jobs, leases, pause
from notifications.database import Database
from notifications.discord_client import DiscordError, Door
from notifications.jobs import Job
from notifications.models import Delivery, DiscordThread
from notifications.sending import NeverOpened, Sending, Sent, ThreadGone

log = structlog.get_logger(__name__)

_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 1800.0
_PAUSE = 1.0  # after a fault of the database, or an unknown one
_CLOCKS = 0.005  # the database says what is due, the loop's clock when to ask
_BEATS_A_LEASE = 4
_TOGETHER = 0.005  # what ends or is owed within it is followed by one claim
_DATABASE_THREADS = 4


class LeaseLost(Exception):
    """Another worker has the delivery: whatever is found out now is theirs to store."""


class Mirror:
    """Claims, sends and keeps alive deliveries, on a thread and a loop of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self.database = Database(_DATABASE_THREADS, name="mirror-db")
        self._door = Door(settings.DISCORD_BOT_TOKEN)
        self._running: dict[int, tuple[Delivery, asyncio.Task[None]]] = {}
        self._bell = asyncio.Event()
        self._is_draining = self._was_away = False
        self._was_held_up = True  # perhaps by the process before this one
        self._last_turn = ""  # the conversation that was claimed last
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def wake(self) -> None:
        """Look for what is owed, soon; for any thread."""
        self._loop.call_soon_threadsafe(self._bell.set)

    def stop(self, *, seconds: float = 5.0) -> None:
        """Let what is being sent arrive for so long, give the rest back, and end."""
        done = asyncio.run_coroutine_threadsafe(self._drain(seconds), self._loop)
        with contextlib.suppress(TimeoutError):
            done.result(timeout=seconds + 5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)
        self.database.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        discord_client.configure(
            api_base=settings.DISCORD_API_BASE, gateway_url=settings.DISCORD_GATEWAY_URL
        )
        self._bell.set()
        self._tasks = [
            self._loop.create_task(self._forever(act)) for act in (self._claim, self._beat)
        ]
        self._loop.run_forever()
        self._loop.close()

    async def _forever(self, act: Callable[[], Any]) -> None:
        while True:
            try:
                await act()
            except (DatabaseError, OSError) as error:
                log.warning("mirror waits", act=act.__name__, error=type(error).__name__)
                await asyncio.sleep(_PAUSE)
            except Exception:  # the process's edge: an unknown fault must not end the mirror
                log.exception("mirror failed", act=act.__name__)
                await asyncio.sleep(_PAUSE)

    async def _claim(self) -> None:
        """Wait for the bell, then take as many deliveries as there is room for."""
        await self._bell.wait()
        await asyncio.sleep(_TOGETHER)
        self._bell.clear()
        room = settings.DISCORD_CONCURRENCY - len(self._running)
        if room <= 0 or self._is_draining:
            return
        for delivery in await self.database(self._take, room):
            self._last_turn = delivery.session_id
            task = self._loop.create_task(self._send(delivery))
            self._running[delivery.pk] = (delivery, task)
            task.add_done_callback(lambda done, held=delivery: self._ended(held, done))  # type: ignore[misc]

    def _take(self, room: int) -> list[Delivery]:
        reason, is_paused = pause.look()
        self._was_held_up |= bool(reason)
        return [] if is_paused else leases.claim(most=room, after=self._last_turn)

    def _ended(self, delivery: Delivery, task: asyncio.Task[None]) -> None:
        self._running.pop(delivery.pk, None)
        # The conversation's next event could not be claimed before.
        self._bell.set()
        if not task.cancelled() and (error := task.exception()):
            # The lease runs out and the delivery is tried again, here or elsewhere.
            log.error("delivery failed", delivery=delivery.pk, exc_info=error)

    async def _beat(self) -> None:
        """Keep the leases, drop what was lost, look for what came due."""
        await asyncio.sleep(min(1.0, settings.DISCORD_LEASE_SECONDS / _BEATS_A_LEASE))
        self._bell.set()
        if not self._running:
            return
        before = dict(self._running)
        held = await self.database(leases.keep, [delivery for delivery, _ in before.values()])
        for number in before.keys() - held:
            before[number][1].cancel()

    async def _send(self, delivery: Delivery) -> None:
        job = await self.database(jobs.load, delivery)

        async def progress(message_ids: Sequence[str]) -> None:
            if not await self.database(leases.note_posted, delivery, message_ids):
                raise LeaseLost

        sending = Sending(
            job, door=self._door, channel_id=settings.DISCORD_CHANNEL_ID, progress=progress
        )
        try:
            sent = await sending.run()
        except LeaseLost:
            log.info("delivery was not ours to end", delivery=delivery.pk)
        except ThreadGone:
            await self._start_over(job)
        except NeverOpened:
            metrics.DELIVERIES.labels("failed").inc()
            await self.database(leases.fail, delivery, "its thread could not be opened")
        except DiscordError as error:
            await self._went_wrong(delivery, error)
        else:
            metrics.DELIVERIES.labels("sent").inc()
            await self.database(_store, job, sent)
            await self._is_back()

    async def _start_over(self, job: Job) -> None:
        log.warning("thread was deleted and is made anew", session=job.session_id[:8])
        metrics.DELIVERIES.labels("begun anew").inc()
        with contextlib.suppress(DiscordError):
            await self._door.delete(settings.DISCORD_CHANNEL_ID, job.card_id)
        generation = job.delivery.generation
        # A Discord that denies every thread must not get one card after the other.
        seconds = min(_LONGEST_WAIT, 2.0**generation) if generation > 2 else 0.0
        await self.database(leases.start_over, job.session_id, seconds=seconds)
        self._wake_after(seconds)

    async def _went_wrong(self, delivery: Delivery, error: DiscordError) -> None:
        said = f"{type(error).__name__}: {error}"
        metrics.DISCORD_ERRORS.labels(type(error).__name__).inc()
        metrics.DELIVERIES.labels("failed" if error.permanent else "put off").inc()
        if error.permanent:
            log.error("discord rejects a delivery", delivery=delivery.pk, reason=str(error))
            await self.database(leases.fail, delivery, said)
            return
        seconds = _backoff(delivery.attempts)
        if isinstance(error, discord_client.RateLimited):
            seconds = error.seconds
        if isinstance(error, discord_client.Refused | discord_client.ChannelGone):
            seconds = pause.RETRY_SECONDS
            await self._door.close()  # a new login shows whether the token is good again
        if seconds == pause.RETRY_SECONDS or getattr(error, "everywhere", False):
            self._was_held_up = True
            await self.database(pause.pause, seconds=seconds, reason=str(error))
        if isinstance(error, discord_client.Locked) and not delivery.error.startswith("Locked"):
            log.error("a thread is locked", delivery=delivery.pk, reason=str(error))
        self._was_away |= isinstance(error, discord_client.Unavailable)
        mark = leases.AWAY if isinstance(error, discord_client.Unavailable) else ""
        log.info("delivery waits", delivery=delivery.pk, seconds=round(seconds, 1), reason=said)
        await self.database(leases.wait, delivery, seconds=seconds, error=mark + said)
        self._wake_after(seconds)

    def _wake_after(self, seconds: float) -> None:
        """Look again when it is due: the beat alone would add up to a second to every wait."""
        self._loop.call_later(seconds + _CLOCKS, self._bell.set)

    async def _is_back(self) -> None:
        """Something arrived: what waits for Discord need not wait any longer."""
        if self._was_held_up:
            self._was_held_up = False
            await self.database(pause.resume)
        if self._was_away:
            self._was_away = False
            await self.database(leases.hurry)

    async def _drain(self, seconds: float) -> None:
        self._is_draining = True
        tasks = [task for _, task in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        left = [delivery for delivery, _ in self._running.values()]
        for task in [*self._tasks, *(task for _, task in self._running.values())]:
            task.cancel()
        await asyncio.gather(*self._tasks, *tasks, return_exceptions=True)
        if left:
            await self.database(leases.give_back, left)
        await self._door.close()


def _backoff(attempts: int) -> float:
    """Seconds until the next try: 1, 2, 4 … 30 minutes, a quarter more or less."""
    base = min(_LONGEST_WAIT, _SHORTEST_WAIT * 2.0 ** min(attempts - 1, 20))
    return base * random.uniform(0.75, 1.25)  # noqa: S311  (spreads retries, keeps no secret)


def _store(job: Job, sent: Sent) -> None:
    # One statement alone needs no transaction around it, which are two round trips more.
    with transaction.atomic() if sent.thread_id else contextlib.nullcontext():
        if not leases.end(job.delivery, sent.message_ids):
            log.info("delivery was not ours to end", delivery=job.delivery.pk)
        elif sent.thread_id:
            _keep_thread(job.session_id, sent)


def _keep_thread(session_id: str, sent: Sent) -> None:
    DiscordThread.objects.update_or_create(
        session_id=session_id,
        defaults={"thread_id": sent.thread_id, "message_id": sent.card_id},
    )


_mirror: Mirror | None = None


def current() -> Mirror | None:
    """The mirror of this process, where it is a notifications worker with Discord set up."""
    return _mirror


def start() -> Mirror:
    """Make and start the mirror of this process."""
    global _mirror
    _mirror = Mirror()
    _mirror.start()
    return _mirror
