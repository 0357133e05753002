"""The replies worker: one event loop that makes many answers at once.

Celery's bell only wakes it; what there is to do, and who does it, the database says. One ring
drains many answers, and a lost ring delays one by a beat at most."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
import uvloop
from django.conf import settings
from django.db import DatabaseError, OperationalError, close_old_connections
from redis.exceptions import RedisError

from chat_app import answers, endings, leases, llm, preparing, pulse, replies
from chat_app.models import ChatMessage
from chat_app.preparing import Prepared
from chat_app.replies import Reply
from chatsite.core import cancelling, live, metrics, queue, runtime
from chatsite.core.lots import Lots
from chatsite.core.postgresql import states

log = structlog.get_logger(__name__)

T = TypeVar("T")

_DATABASE_THREADS = 4
_BEATS_A_LEASE = 4
# Seconds between two claims: bells that come closer together are one.
_BREATH = 0.004
# Answers in one claim: the next may begin meanwhile.
_MOST_AT_ONCE = 50
# Until an answer's end rings for its session's next question, which few have: once for many ends.
_SOON = 0.03


class Engine:
    """Claims, makes, keeps alive and stops answers, on a thread and a loop of its own."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._executor = ThreadPoolExecutor(_DATABASE_THREADS, thread_name_prefix="engine-db")
        # Leases are kept on a thread of their own: many answers that end at once must not make
        # the others look abandoned.
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="engine-leases")
        # By answer and lease: one that was taken over may come back here while its old task lives.
        self._running: dict[tuple[str, str], tuple[Reply, asyncio.Task[None]]] = {}
        self._ends = Lots(functools.partial(self.database, endings.finish))
        self._bell = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._claiming = asyncio.Lock()
        self._is_draining = False
        self._is_warm = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def wake(self) -> None:
        """Look for answers to make, soon; for any thread."""
        self._loop.call_soon_threadsafe(self._bell.set)

    def stop(self, *, seconds: float) -> None:
        """Let running answers finish for so long, give the others back, and end."""
        done = asyncio.run_coroutine_threadsafe(self._drain(seconds), self._loop)
        with contextlib.suppress(TimeoutError):
            done.result(timeout=seconds + 5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)
        self._executor.shutdown(wait=False)
        self._keeper.shutdown(wait=False)

    async def database(self, act: Callable[..., T], /, *args: Any, **options: Any) -> T:
        """Run a function of the ORM on one of a few threads with lasting connections."""
        return await self._on(self._executor, functools.partial(act, *args, **options))

    async def _on(self, threads: ThreadPoolExecutor, act: Callable[[], T]) -> T:
        def call() -> T:
            close_old_connections()
            try:
                return act()
            finally:
                close_old_connections()

        return await self._loop.run_in_executor(threads, call)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._client = live.async_client()
        self._tasks = [
            self._loop.create_task(self._warm_up()),
            *(
                self._loop.create_task(self._forever(act))
                for act in (self._claim, self._beat, self._listen)
            ),
        ]
        self._loop.run_forever()

    async def _forever(self, act: Callable[[], Any]) -> None:
        while True:
            try:
                await act()
            except (DatabaseError, RedisError, OSError, TimeoutError) as error:
                log.warning("replies worker waits", act=act.__name__, error=type(error).__name__)
                await asyncio.sleep(1)
            except Exception:  # the process's edge: an unknown fault must not end the worker
                log.exception("replies worker failed", act=act.__name__)
                await asyncio.sleep(1)

    async def _warm_up(self) -> None:
        try:
            await llm.warm_up()
        except Exception:  # nothing depends on it
            log.exception("the model's library was not warmed up")
        self._is_warm = True
        await self._say_alive()

    async def _claim(self) -> None:
        """Wait for the bell, then take as many answers as there is room for."""
        await self._bell.wait()
        self._bell.clear()
        try:
            async with self._claiming:
                await self._fill()
        except Exception:
            self._bell.set()  # nobody else may ring for what was not claimed
            raise
        await asyncio.sleep(_BREATH)

    async def _fill(self) -> None:
        room = settings.REPLIES_CONCURRENCY - len(self._running)
        if room <= 0 or self._is_draining:
            return
        mine = {answer_id for answer_id, _ in self._running}
        most = min(room, _MOST_AT_ONCE)
        claimed = await self.database(_claim, most=most, but_not=mine)
        watched = await replies.watched(self._client, [answer for answer, _ in claimed])
        for answer, prepared in claimed:
            self._begin(answer, prepared, is_watched=answer.pk in watched)
        if len(claimed) == room:
            # There may be more than this worker can hold: let another one hear of it.
            await self.database(answers.sweep)
        elif len(claimed) == most:
            self._bell.set()

    def _begin(self, answer: ChatMessage, prepared: Prepared, *, is_watched: bool) -> None:
        reply = Reply(
            answer, prepared, client=self._client, store=self._ends.do, is_watched=is_watched
        )
        task = self._loop.create_task(reply.run())
        self._running[answer.pk, answer.lease_token] = (reply, task)
        metrics.ANSWERS_IN_PROGRESS.set(len(self._running))
        task.add_done_callback(lambda done: self._ended(reply, done))

    def _ended(self, reply: Reply, task: asyncio.Task[None]) -> None:
        answer = reply.answer
        self._running.pop((answer.pk, answer.lease_token), None)
        metrics.ANSWERS_IN_PROGRESS.set(len(self._running))
        # The session's next question, if it has one, could not be claimed before; few have. Where
        # the worker was full others wait.
        if len(self._running) + 1 >= settings.REPLIES_CONCURRENCY:
            self._bell.set()
        elif not reply.is_last:
            self._ring_soon()
        if not task.cancelled() and (error := task.exception()):
            # The lease runs out and the answer is tried again, here or elsewhere.
            log.error("answer failed", answer=answer.pk, exc_info=error)

    def _ring_soon(self) -> None:
        if self._soon is None or self._soon.when() <= self._loop.time():
            self._soon = self._loop.call_later(_SOON, self._bell.set)

    async def _beat(self) -> None:
        """Keep the leases, find what was stopped or lost, look for work, say we are alive."""
        self._bell.set()
        before = list(self._running.items())
        if before:
            tokens = {token for (_, token), _ in before}
            wanted = await self._on(self._keeper, functools.partial(leases.keep, tokens))
            for (answer_id, _), (reply, task) in before:
                if answer_id not in wanted:
                    await self._halt(reply, task)
        if self._is_warm:  # who is sent here before waits for the library, not for the model
            await self._say_alive()
        await asyncio.sleep(settings.ANSWER_LEASE_SECONDS / _BEATS_A_LEASE)

    async def _say_alive(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await pulse.beat(self._client)

    async def _listen(self) -> None:
        """Hear at once what Celery tells a little later, and which answers are to be stopped."""
        client = live.async_client(socket_timeout=None)
        try:
            async with client.pubsub() as pubsub:
                await pubsub.subscribe(live.STOPS, live.BELLS)
                async for message in pubsub.listen():
                    if message["type"] == "message":
                        await self._hear(message["channel"].decode(), message["data"].decode())
        finally:
            await client.aclose()

    async def _hear(self, channel: str, word: str) -> None:
        if channel == live.STOPS:
            await self._stop(word)
        elif word == queue.ANSWER:
            self._bell.set()

    async def _stop(self, wanted: str) -> None:
        for (answer_id, _), (reply, task) in list(self._running.items()):
            if answer_id == wanted:
                await self._halt(reply, task)

    async def _halt(self, reply: Reply, task: asyncio.Task[None]) -> None:
        """Stop the model and keep the text so far; nothing is stored where the lease was lost."""
        if task.done():
            return
        await cancelling.end(task)
        await reply.end(reply.stopped())
        if not reply.is_last:  # the task's end rang too soon
            self._bell.set()

    async def _drain(self, seconds: float) -> None:
        self._is_draining = True
        async with self._claiming:
            pass  # what was just claimed is ours to finish or to give back
        tasks = [task for _, task in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        left = [reply.answer for reply, _ in self._running.values()]
        cancelled = [*self._tasks, *(task for _, task in self._running.values())]
        await asyncio.gather(*(cancelling.end(task, again=0.1) for task in cancelled))
        if left:
            await self.database(leases.give_back, left)
            log.info("answers given back", count=len(left))
        await self._client.aclose()
        # What libraries began on this loop ends with it: litellm's logging, for one.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*(cancelling.end(task, again=0.1) for task in others if task))


def _claim(*, most: int, but_not: Collection[str]) -> list[tuple[ChatMessage, Prepared]]:
    """What is claimed and what each needs, in one hop: to wake a thread takes half of one."""
    claimed = leases.claim(most=most, but_not=but_not)
    try:
        return list(zip(claimed, preparing.prepare(claimed), strict=True))
    except OperationalError as error:
        # A lock is somebody else's, a void plan is asked for once, and no model was asked: it must
        # not count as an attempt. Anything else may be one answer's fault, and would be claimed
        # for ever.
        if states.of(error) in states.LOCKED | states.VOID_PLAN:
            leases.give_back(claimed)
        raise


_engine: Engine | None = None


def current() -> Engine | None:
    """The engine of this process, where it is a replies worker."""
    return _engine


def start() -> Engine:
    """Make and start the engine of this process."""
    global _engine
    runtime.switch_often()
    _engine = Engine()
    _engine.start()
    return _engine
