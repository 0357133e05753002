"""Requests that wait: what happens after the transaction, on the event loop, without a thread."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import time
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response

from chat_app import presenters, selectors, stream
from chat_app.answers import TAKEN_OVER
from chat_app.models import ChatMessage
from chat_app.services import Posted
from chat_app.slots import Slot
from chatsite.core import errors, hops, hub, lots
from sessions_app.selectors import poll

Continuation = Callable[[], Awaitable[HttpResponseBase]]

Finished = tuple[ChatMessage, dict[str, Any]]  # an answer, and what its asker is told

_STOP_SECONDS = 3.0


class Continued(Response):
    """What a viewset answers when the rest is to happen on the event loop."""

    def __init__(self, go_on: Continuation) -> None:
        super().__init__()
        self.go_on = go_on


def asynchronous(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """A viewset's view whose `Continued` answers are awaited: one hop into a thread, no more."""

    @functools.wraps(view)
    async def wrapper(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        async with _turn(request):
            response = await hops.there(view, request, **parts)
        if not isinstance(response, Continued):
            return response
        go_on = response.go_on
        # And with it the viewset's world: a wait holds what it needs; headers are made anew.
        del response
        request.__dict__.pop("headers", None)
        try:
            return await go_on()
        except errors.Problem as problem:
            return errors.response(request, problem)

    wrapper.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapper


@dataclass(frozen=True, slots=True)
class _Awaited:
    """An answer that somebody waits for. A thousand may: they do not hold its row, or its question.

    `seq` is the number of the event that the wait begins after.
    """

    session: str
    question: str
    answer: str
    status: str
    seq: int

    @classmethod
    def of(cls, row: ChatMessage) -> _Awaited:
        return cls(row.session_id, str(row.reply_to_id), row.pk, row.status, row.seq)


def answer(awaited: ChatMessage, *, headers: dict[str, str]) -> Continuation:
    """Wait for the answer up to CHAT_WAIT_SECONDS, then say 200, or 202 where it is not there."""
    return functools.partial(_answer, _Awaited.of(awaited), headers)


async def _answer(awaited: _Awaited, headers: dict[str, str]) -> HttpResponse:
    found = await _finished(awaited, settings.CHAT_WAIT_SECONDS)
    if found is None:
        return _accepted(awaited.question, awaited.answer, awaited.status, headers=headers)
    row, body = found
    return finished(row, body, headers=headers)


def finished(
    row: ChatMessage, body: dict[str, Any] | None = None, *, headers: dict[str, str]
) -> HttpResponse:
    """200: the answer, with the body that was made of it, if any; 202 where staff took over."""
    if row.error == TAKEN_OVER:
        return _accepted(str(row.reply_to_id), None, headers=headers)
    return JsonResponse(body or presenters.answered(row), headers=headers)


def accepted(posted: Posted, *, headers: dict[str, str]) -> HttpResponse:
    """202: the message is kept and will be answered."""
    row = posted.answer
    if row is None or row.error == TAKEN_OVER:
        return _accepted(posted.question.pk, None, headers=headers)
    return _accepted(posted.question.pk, row.pk, row.status, headers=headers)


def _accepted(
    question: str,
    answer: str | None,
    status: str = presenters.WITH_STAFF,
    *,
    headers: dict[str, str],
) -> HttpResponse:
    body = presenters.accepted(question, answer, status)
    where = f"/chat/messages/{answer or question}"
    return JsonResponse(body, status=202, headers={"Location": where, **headers})


def answer_stream(posted: Posted, *, headers: dict[str, str]) -> Continuation:
    """Stream the question and its answer."""

    async def go_on() -> HttpResponseBase:
        followed = hub.current(poll)
        session = posted.question.session_id
        slot = Slot(followed.redis, session)
        await slot.take()
        events = stream.one_answer(
            followed,
            session,
            after=posted.question.seq - 1,
            question=posted.question.pk,
            answer=posted.answer.pk if posted.answer else None,
            slot=slot,
        )
        return _with(stream.response(events), headers)

    return go_on


def session_stream(session: str, *, after: int) -> Continuation:
    """Stream everything of the session after event `after`."""

    async def go_on() -> HttpResponseBase:
        followed = hub.current(poll)
        slot = Slot(followed.redis, session)
        await slot.take()
        return stream.response(stream.session_events(followed, session, after=after, slot=slot))

    return go_on


def long_poll(session: str, *, after: int) -> Continuation:
    """The next events as one JSON body, waiting for the first."""

    async def go_on() -> HttpResponse:
        found = await stream.next_events(
            hub.current(poll), session, after=after, seconds=settings.LONG_POLL_SECONDS
        )
        events = [{"id": one.seq, "event": one.name, "data": one.data} for one in found]
        return JsonResponse({"events": events, "last": found[-1].seq if found else after})

    return go_on


def stopped(row: ChatMessage) -> Continuation:
    """Wait a little for the worker to stop, then show the answer as it is."""

    async def go_on() -> HttpResponse:
        found = None if row.is_finished else await _finished(_Awaited.of(row), _STOP_SECONDS)
        return JsonResponse(await sync_to_async(presenters.message)(found[0] if found else row))

    return go_on


async def _finished(awaited: _Awaited, seconds: float) -> Finished | None:
    """The answer and its body once it is finished, None after `seconds` or if none is to come."""
    followed = hub.current(poll)
    deadline = time.monotonic() + seconds
    async with followed.watch(awaited.session, since=awaited.seq) as watcher:
        is_due = followed.was_told(awaited.answer)
        while True:
            if is_due and (found := await _load(awaited.answer)):
                return found
            left = deadline - time.monotonic()
            if left <= 0 or followed.is_stopping:
                return None
            told = hub.announcements(await watcher.next(left))
            if any(one.kind == hub.CLOSED for one in told):
                return await _load(awaited.answer)
            is_due = any(one.reference in {"", awaited.answer} for one in told)


_finishing: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, lots.Lots[str, Finished | None]
] = weakref.WeakKeyDictionary()


async def _load(answer: str) -> Finished | None:
    """The answer if it is finished; answers end together, and are read together."""
    loop = asyncio.get_running_loop()
    if loop not in _finishing:
        _finishing[loop] = lots.Lots(selectors.load_finished)
    return await _finishing[loop].do(answer)


def _with(response: HttpResponseBase, headers: dict[str, str]) -> HttpResponseBase:
    for name, value in headers.items():
        response[name] = value
    return response


_turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()


def _turn(request: HttpRequest) -> asyncio.Lock:
    """Requests with one idempotency key take turns, so that the later ones replay for free.

    It saves limits and failed inserts; that a key posts once is the database's to promise.
    """
    key = request.headers.get("Idempotency-Key")
    if not key:
        return asyncio.Lock()
    who = f"{request.headers.get('Authorization')} {key}"
    return _turns.setdefault(hashlib.sha256(who.encode()).hexdigest(), asyncio.Lock())
