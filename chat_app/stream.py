"""Server-sent events: what happened since the reader's last event, then what happens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from django.http import StreamingHttpResponse
from redis.exceptions import RedisError

from chat_app import selectors
from chat_app.deltas import DeltaReader, Event
from chat_app.selectors import StreamEvent
from chat_app.slots import Slot
from chatsite.core import live
from chatsite.core.hub import CLOSED, Hub, Item, Watcher, announcements

PING_SECONDS: Final = 15.0
RETRY_MS: Final = 2000
# A stream ends by itself after so long, and the reader resumes: nothing stays open for ever.
LONGEST_SECONDS: Final = 3600.0


def encode(name: str, data: dict[str, Any], seq: int | None = None) -> str:
    """One event. JSON has no line breaks of its own, so no text can begin another event."""
    head = f"id: {seq}\n" if seq is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def response(events: AsyncIterator[str]) -> StreamingHttpResponse:
    """The events as a response that proxies neither keep back nor store."""
    return StreamingHttpResponse(
        events,
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class Reader:
    """One open stream: where it is in the session's events, and in the answer being made."""

    def __init__(self, hub: Hub, session: str, after: int, *, only: frozenset[str] = frozenset()):
        self._hub, self._session, self._only = hub, session, only
        self._cursor = after
        self._deltas = DeltaReader()
        self.ended: set[str] = set()
        self.is_closed = False

    async def backlog(self) -> AsyncIterator[str]:
        """All events since the cursor."""
        while events := await selectors.load_events(self._session, self._cursor):
            for event in events:
                for line in self._stored(event):
                    yield line
            if len(events) < selectors.EVENTS_AT_ONCE:
                return

    async def partial(self) -> AsyncIterator[str]:
        """What there is of the answer in the making."""
        running = await selectors.load_running(self._session)
        if running is None or not self._wants(running.pk):
            return
        try:
            deltas = await live.partial(self._hub.redis, running.pk)
        except (RedisError, OSError):
            return
        for line in self._live(deltas):
            yield line

    async def told(self, items: Iterable[Item]) -> AsyncIterator[str]:
        """What these items of the hub mean for the reader, in their order."""
        pending = list(items)
        for line in self._live(item for item in pending if isinstance(item, live.Delta)):
            yield line
        # Whoever waits for one answer hears who else writes from the session's own stream.
        for one in () if self._only else {i for i in pending if isinstance(i, live.Typing)}:
            yield encode("typing", {"who": one.who})
        told = announcements(pending)
        if any(one.seq > self._cursor or not one.seq for one in told):
            async for line in self.backlog():
                yield line
        self.is_closed |= any(one.kind == CLOSED for one in told)

    def caught_up(self, watcher: Watcher) -> None:
        """Tell the hub how far the reader is."""
        watcher.seen = max(watcher.seen, self._cursor)

    def _stored(self, event: StreamEvent) -> Iterable[str]:
        self._cursor = event.seq
        if not event.name or not self._wants(event.reference):
            return
        if event.name == "answer":
            self.ended.add(event.reference)
            yield from self._lines(self._deltas.end(event.reference, event.data["response"]))
        if event.name == "status":
            self.is_closed = not event.data["is_active"]
        yield encode(event.name, event.data, event.seq)

    def _live(self, deltas: Iterable[live.Delta]) -> Iterable[str]:
        for delta in deltas:
            if delta.answer not in self.ended and self._wants(delta.answer):
                yield from self._lines(self._deltas.piece(delta))

    def _wants(self, reference: str) -> bool:
        return not self._only or reference in self._only

    @staticmethod
    def _lines(events: Iterable[Event]) -> Iterable[str]:
        return (encode(name, data) for name, data in events)


async def session_events(hub: Hub, session: str, *, after: int, slot: Slot) -> AsyncIterator[str]:
    """Everything of the session after event `after`, live, until either side ends it."""
    try:
        async with hub.watch(session, since=after, deltas=True) as watcher:
            reader = Reader(hub, session, after)
            yield f"retry: {RETRY_MS}\n\n"
            async for line in _follow(hub, reader, watcher, slot):
                yield line
    finally:
        await slot.leave()


async def one_answer(
    hub: Hub, session: str, *, after: int, question: str, answer: str | None, slot: Slot
) -> AsyncIterator[str]:
    """The question just asked and its answer as it is made; ends with it."""
    only = frozenset({question, answer} if answer else {question})
    try:
        async with hub.watch(session, since=after, deltas=True) as watcher:
            reader = Reader(hub, session, after, only=only)
            if answer is None:  # a person has the session, and answers when they do
                async for line in reader.backlog():
                    yield line
                yield encode("status", {"responder": "human", "is_active": True})
                return
            async for line in _follow(hub, reader, watcher, slot, until=answer):
                yield line
    finally:
        await slot.leave()


async def _follow(
    hub: Hub, reader: Reader, watcher: Watcher, slot: Slot, *, until: str = ""
) -> AsyncIterator[str]:
    async for line in reader.backlog():
        yield line
    async for line in reader.partial():
        yield line
    began = pinged = time.monotonic()
    while not (reader.is_closed or hub.is_stopping or until in reader.ended):
        reader.caught_up(watcher)
        items = await watcher.next(PING_SECONDS)
        async for line in reader.told(items):
            yield line
        now = time.monotonic()
        if now - pinged >= PING_SECONDS:
            pinged = now
            await slot.renew()
            yield ": ping\n\n"
        if now - began > LONGEST_SECONDS:
            return
        await asyncio.sleep(0)  # a flood of items must not starve the other readers


async def next_events(hub: Hub, session: str, *, after: int, seconds: float) -> list[StreamEvent]:
    """The next events of the session, waiting up to `seconds` for the first: the long poll."""
    deadline = time.monotonic() + seconds
    async with hub.watch(session, since=after) as watcher:
        while not (events := await _named_events(session, after)):
            left = deadline - time.monotonic()
            if left <= 0 or hub.is_stopping:
                break
            if any(one.kind == CLOSED for one in announcements(await watcher.next(left))):
                break
    return events


async def _named_events(session: str, after: int) -> list[StreamEvent]:
    return [event for event in await selectors.load_events(session, after) if event.name]
