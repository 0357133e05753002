"""The stream of a conversation's page: changed items as HTML, and answers in the making."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.http.response import HttpResponseBase
from redis.exceptions import RedisError

from chat_app import stream
from chat_app.console import transcript
from chat_app.deltas import DeltaReader
from chat_app.waiting import Continuation
from chatsite.core import hub, live
from chatsite.core.hub import Hub, Item, announcements
from sessions_app.models import ChatSession, SessionEvent
from sessions_app.selectors import poll

# The browser comes back, and is asked anew who it is and what it may see.
_LONGEST_SECONDS: Final = 300.0
_AT_ONCE: Final = 200


def follow(session_id: str, *, after: int, may_act: bool) -> Continuation:
    """Stream what happens in the conversation after event `after`."""

    async def go_on() -> HttpResponseBase:
        reader = _Reader(hub.current(poll), session_id, after, may_act=may_act)
        return stream.response(reader.run())

    return go_on


class _Reader:
    """One open page: where it is in the events, and in the answer being made."""

    def __init__(self, followed: Hub, session_id: str, after: int, *, may_act: bool) -> None:
        self._hub, self._session, self._cursor = followed, session_id, after
        self._may_act = may_act
        self._deltas = DeltaReader()
        self._is_gone = False

    async def run(self) -> AsyncIterator[str]:
        """Events until the time is over or the conversation is gone."""
        began = told = time.monotonic()
        async with self._hub.watch(self._session, since=self._cursor, deltas=True) as watcher:
            yield f"retry: {stream.RETRY_MS}\n\n"
            async for line in self._stored():
                yield line
            async for line in self._partial():
                yield line
            while not (self._is_gone or self._hub.is_stopping):
                watcher.seen = max(watcher.seen, self._cursor)
                async for line in self._told(await watcher.next(stream.PING_SECONDS)):
                    told = time.monotonic()
                    yield line
                now = time.monotonic()
                if now - told >= stream.PING_SECONDS:
                    told = now
                    yield ": ping\n\n"
                if now - began > _LONGEST_SECONDS:
                    return

    async def _told(self, items: list[Item]) -> AsyncIterator[str]:
        for item in items:
            if isinstance(item, live.Delta):
                for line in self._piece(item):
                    yield line
        # CLOSED and STALE too: of an ended conversation the hub tells nothing else.
        if any(one.seq > self._cursor or not one.seq for one in announcements(items)):
            async for line in self._stored():
                yield line

    async def _stored(self) -> AsyncIterator[str]:
        while True:
            changes = await _load(self._session, self._cursor, self._may_act)
            if changes is None:
                self._is_gone = True
                yield stream.encode("gone", {})
                return
            seq, found = changes
            self._cursor = max(self._cursor, seq)
            for name, data in found:
                yield stream.encode(name, data, self._cursor)
            if len(found) < _AT_ONCE:
                return

    async def _partial(self) -> AsyncIterator[str]:
        running = await _load_running(self._session)
        if running is None:
            return
        try:
            deltas = await live.partial(self._hub.redis, running)
        except (RedisError, OSError):
            return
        for delta in deltas:
            for line in self._piece(delta):
                yield line

    def _piece(self, delta: live.Delta) -> list[str]:
        return [stream.encode(name, data) for name, data in self._deltas.piece(delta)]


@sync_to_async
def _load(
    session_id: str, after: int, may_act: bool
) -> tuple[int, list[tuple[str, dict[str, Any]]]] | None:
    """The number of the last event, and what changed since; None where all is erased."""
    session = ChatSession.objects.filter(pk=session_id).first()
    if session is None:
        return None
    events = list(
        SessionEvent.objects.filter(session_id=session_id, seq__gt=after).order_by("seq")[:_AT_ONCE]
    )
    if not events:
        return after, []
    found: list[tuple[str, dict[str, Any]]] = [
        ("item", {"key": one.key, "seq": one.seq, "html": transcript.render(one, may_act=may_act)})
        for one in transcript.changed(session_id, events)
    ]
    found += [("drop", {"key": f"m-{pk}"}) for pk in transcript.gone(session_id, events)]
    found.append(("state", state(session)))
    return events[-1].seq, found


@sync_to_async
def _load_running(session_id: str) -> str | None:
    from chat_app.selectors import running_answer

    running = running_answer(session_id)
    return running.pk if running else None


def state(session: ChatSession) -> dict[str, Any]:
    """What the page's head and its buttons show."""
    return {
        "responder": session.responder,
        "is_active": session.is_active,
        "messages": session.message_count,
    }
