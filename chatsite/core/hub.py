"""Readers of live events: one Redis connection for all of a process, and a poll where it fails."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
import weakref
from collections import OrderedDict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from chatsite.core import cancelling, live, metrics, runtime

log = structlog.get_logger(__name__)

Item = live.Announcement | live.Delta | live.Typing
# Of the sessions named, those that are open, with the number of their last event.
Poll = Callable[[Collection[str]], Awaitable[Mapping[str, int]]]

CLOSED = "closed"  # kind of the announcement that a session is not open any more
STALE = "stale"  # kind of the announcement that something was missed: look into the database

_POLL_SECONDS = 4.0  # a revoked session's streams close within five
_POLL_SECONDS_WITHOUT_REDIS = 1.0
_TICK = 0.25
_SILENCE = 5.0
_SOUND_SECONDS = 1.0
_DEAD = 15.0  # not even an answer to a ping
_MOST_ITEMS = 500
_MOST_RECENT = 2048  # five seconds of what two cores can tell
_EVENTS = live.EVENTS.encode()


class Watcher:
    """One reader's queue: bounded, and told to look into the database when it overflows."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.seen = 0
        # Neither a deque nor an Event: 0.6 KB each while they are empty, and a thousand may wait.
        self._items: list[Item] = []
        self._is_due = False
        self._reader: asyncio.Future[None] | None = None

    def put(self, item: Item) -> None:
        """Hand the reader one item."""
        if isinstance(item, live.Announcement):
            self.seen = max(self.seen, item.seq)
        if len(self._items) >= _MOST_ITEMS:
            self._items.clear()
            item = live.Announcement(self.session, 0, STALE, "")
        self._items.append(item)
        self.interrupt()

    def interrupt(self) -> None:
        """Wake the reader, with nothing if nothing came."""
        self._is_due = True
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def next(self, seconds: float) -> list[Item]:
        """What came since the last call, after at most so many seconds; may be nothing."""
        if not self._is_due:
            loop = asyncio.get_running_loop()
            self._reader = loop.create_future()
            timer = loop.call_later(seconds, self.interrupt)
            try:
                await self._reader
            finally:
                timer.cancel()
        self._is_due = False
        items, self._items = self._items, []
        return items


def announcements(items: Iterable[Item]) -> list[live.Announcement]:
    """Of the items, those that tell of stored events."""
    return [item for item in items if isinstance(item, live.Announcement)]


class Hub:
    """Follows Redis for all readers of one event loop."""

    def __init__(self, poll: Poll) -> None:
        self.redis = live.async_client()
        self.connected = False
        self._poll = poll
        self._watchers: dict[str, set[Watcher]] = {}
        self._deltas: dict[str, int] = {}
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._pubsub: Any = None
        self._limit: asyncio.Timeout | None = None
        self._heard = 0.0
        # A context of their own: they outlive the request that made the hub, whose thread they
        # would else ask for.
        self._tasks = [
            asyncio.create_task(act(), context=contextvars.Context())
            for act in (self._follow, self._patrol, self._sound)
        ]

    @property
    def is_stopping(self) -> bool:
        """Whether readers should end now, since the process does."""
        return runtime.is_stopping()

    @contextlib.asynccontextmanager
    async def watch(
        self, session: str, *, since: int = 0, deltas: bool = False
    ) -> AsyncIterator[Watcher]:
        """Follow a session; `since` is the number of the last event that the reader knows."""
        watcher = Watcher(session)
        watcher.seen = since
        self._watchers.setdefault(session, set()).add(watcher)
        try:
            if deltas:
                await self._want_deltas(session)
            yield watcher
        finally:
            self._watchers[session].discard(watcher)
            if not self._watchers[session]:
                del self._watchers[session]
            if deltas:
                await self._drop_deltas(session)

    def was_told(self, reference: str) -> bool:
        """Whether a row was announced lately: a wait may begin after it."""
        return reference in self._recent

    async def close(self) -> None:
        """End the tasks and the connections."""
        await asyncio.gather(*(cancelling.end(task, again=0.1) for task in self._tasks))
        await self.redis.aclose()

    async def _want_deltas(self, session: str) -> None:
        metrics.OPEN_STREAMS.inc()
        self._deltas[session] = self._deltas.get(session, 0) + 1
        if self._deltas[session] == 1:
            await self._tell("subscribe", session)

    async def _drop_deltas(self, session: str) -> None:
        metrics.OPEN_STREAMS.dec()
        self._deltas[session] -= 1
        if not self._deltas[session]:
            del self._deltas[session]
            await self._tell("unsubscribe", session)

    async def _tell(self, act: str, session: str) -> None:
        # A failure is the follower's to see: reconnected, it subscribes to all that is wanted.
        if self._pubsub is not None:
            with contextlib.suppress(RedisError, OSError, AttributeError):
                await getattr(self._pubsub, act)(live.delta_channel(session))

    async def _follow(self) -> None:
        while True:
            try:
                await self._follow_once()
            except (RedisError, OSError, TimeoutError) as error:
                if self.connected:
                    log.warning("live events are polled", error=type(error).__name__)
            finally:
                self.connected, self._pubsub = False, None
            self._mark_stale()
            await asyncio.sleep(0.5)

    async def _follow_once(self) -> None:
        # A subscribed connection waits as long as it takes: redis-py's default would end it at 5 s.
        client = live.async_client(socket_timeout=None)
        pubsub = client.pubsub()
        try:
            await pubsub.subscribe(live.EVENTS)
            self._pubsub, self.connected = pubsub, True
            # Only now: what was wanted while it connected is in `_deltas`, what is wanted from here
            # on subscribes itself.
            if self._deltas:
                await pubsub.subscribe(*map(live.delta_channel, self._deltas))
            self._mark_stale()
            await self._read(pubsub)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                await client.aclose()

    async def _read(self, pubsub: redis.asyncio.client.PubSub) -> None:
        # Each reading without a time-out of its own: that cost as much as the message.
        self._heard = time.monotonic()
        try:
            async with asyncio.timeout(_DEAD) as self._limit:
                while True:
                    message = await pubsub.get_message(timeout=None)
                    self._heard = time.monotonic()
                    if message and message["type"] == "message":
                        self._deliver(message)
        finally:
            self._limit = None

    async def _sound(self) -> None:
        """Ask a silent connection for a sign of life; without one its reading ends (`_limit`)."""
        while True:
            await asyncio.sleep(_SOUND_SECONDS)
            if self._pubsub is None or self._limit is None or self._limit.expired():
                continue
            silent = time.monotonic() - self._heard
            if silent <= _SILENCE:
                self._limit.reschedule(asyncio.get_running_loop().time() + _DEAD - silent)
                continue
            with contextlib.suppress(RedisError, OSError, AttributeError):
                await self._pubsub.ping()

    def _deliver(self, message: dict[str, Any]) -> None:
        items: Sequence[Item]
        if message["channel"] == _EVENTS:
            items = announced = live.decode_announcements(message["data"])
            for one in announced:
                self._remember(one)
        else:
            items = [live.decode_piece(message["data"])]
        for item in items:
            for watcher in self._watchers.get(item.session, ()):
                watcher.put(item)

    def _remember(self, item: live.Announcement) -> None:
        self._recent[item.reference] = None
        if len(self._recent) > _MOST_RECENT:
            self._recent.popitem(last=False)

    def _mark_stale(self) -> None:
        for session, watchers in self._watchers.items():
            for watcher in watchers:
                watcher.put(live.Announcement(session, 0, STALE, ""))

    async def _patrol(self) -> None:
        """Find, by one query for all readers, what Redis did not tell, and which sessions ended."""
        waited = 0.0
        while True:
            await asyncio.sleep(_TICK)
            if self.is_stopping:
                self._interrupt()
            waited += _TICK
            due = _POLL_SECONDS if self.connected else _POLL_SECONDS_WITHOUT_REDIS
            if waited < due or not self._watchers:
                continue
            waited = 0.0
            try:
                asked = list(self._watchers)
                self._compare(asked, await self._poll(asked))
            except Exception as error:  # the loop's edge: the database may be away for a while
                log.warning("open sessions were not polled", error=type(error).__name__)

    def _compare(self, asked: Collection[str], open_sessions: Mapping[str, int]) -> None:
        # Only those that were asked about: a watcher that came since would look like a closed one.
        for session in asked:
            last = open_sessions.get(session)
            for watcher in self._watchers.get(session, ()):
                if last is None:
                    watcher.put(live.Announcement(session, 0, CLOSED, ""))
                elif last > watcher.seen:
                    watcher.put(live.Announcement(session, last, STALE, ""))

    def _interrupt(self) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.interrupt()


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def current(poll: Poll) -> Hub:
    """The hub of the running loop, made on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(poll)
    return _hubs[loop]
