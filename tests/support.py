"""What tests say often: a caller, a problem, the events of a stream, rows."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import celery
from django.db import connections
from django.http.response import HttpResponseBase

from chat_app.models import ChatMessage
from sessions_app import events, services, tokens
from sessions_app.models import ChatSession

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SECONDS = 15.0  # after which something that a test awaits has not happened


class Api:
    """A caller: JSON in, with the session's token; with an AsyncClient everything is awaited."""

    def __init__(self, client: Any, session: ChatSession | None = None) -> None:
        self.client, self.session = client, session
        self.headers = {"user-agent": AGENT, **(bearer(session) if session else {})}

    def with_session(self, session: ChatSession) -> Api:
        """The same caller with a session."""
        return Api(self.client, session)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; `None` sends no body, bytes and str are sent as they are."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"headers": {**self.headers, **named}}
        if body is not None:
            raw = isinstance(body, (bytes, str))
            options["data"] = body if raw else json.dumps(body)
            options["content_type"] = named.pop("content-type", "application/json")
        return self.client.generic(method, path, **options)

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST."""
        return self.call("POST", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE."""
        return self.call("DELETE", path, **headers)

    def ask(self, text: str, **headers: str) -> Any:
        """POST /chat, waiting."""
        return self.post("/chat", {"message": text}, **headers)

    def leave(self, text: str, **headers: str) -> Any:
        """POST /chat, not waiting."""
        return self.ask(text, prefer="respond-async", **headers)

    def stream(self, text: str, **headers: str) -> Any:
        """POST /chat, streaming."""
        return self.ask(text, accept="text/event-stream", **headers)


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    name: str
    data: Any
    id: int | None = None


class Reader:
    """One who reads a streaming response as it comes."""

    def __init__(self, response: Any) -> None:
        assert response.status_code == 200, response.content
        assert response["Content-Type"] == "text/event-stream"
        self.other: list[str] = []  # comments and `retry:`
        self._events: asyncio.Queue[Told | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._read(response.streaming_content))

    async def next(self) -> Told:
        """The next event; fails where none comes."""
        async with asyncio.timeout(SECONDS):
            found = await self._events.get()
        assert found is not None, "the stream has ended"
        return found

    async def until(self, name: str) -> list[Told]:
        """The events up to the first one of this name."""
        found = [await self.next()]
        while found[-1].name != name:
            found.append(await self.next())
        return found

    async def rest(self) -> list[Told]:
        """The events until the stream ends by itself."""
        async with asyncio.timeout(SECONDS):
            await self._task
            found = [await self._events.get() for _ in range(self._events.qsize())]
        return [event for event in found if event]

    async def close(self) -> None:
        """Go away, as a reader does who closes the page."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self, chunks: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in chunks:
                self._take(chunk.decode())
        finally:
            self._events.put_nowait(None)

    def _take(self, block: str) -> None:
        assert block.endswith("\n\n")
        assert block.count("\n\n") == 1, "one event a chunk, and none that begins another"
        lines = dict(line.split(": ", 1) for line in block[:-2].split("\n") if ": " in line)
        if "event" in lines:
            number = int(lines["id"]) if "id" in lines else None
            self._events.put_nowait(Told(lines["event"], json.loads(lines["data"]), number))
        else:
            self.other.append(block.strip())


def bearer(session: ChatSession) -> dict[str, str]:
    """The header that names the session."""
    return {"Authorization": f"Bearer {tokens.issue(session)}"}


def problem(response: HttpResponseBase, status: int, code: str) -> dict[str, Any]:
    """The response's body, which is the problem `code` and complete."""
    body: dict[str, Any] = json.loads(response.content)  # type: ignore[attr-defined]
    assert (response.status_code, body["code"]) == (status, code), body
    assert response["Content-Type"] == "application/problem+json"
    assert body["type"] == f"urn:chatsite:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["X-Request-ID"]
    assert set(body) - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    return body


def fields(response: HttpResponseBase) -> list[str]:
    """The fields that an invalid_input names."""
    return [error["field"] for error in problem(response, 400, "invalid_input")["errors"]]


def open_session(email: str = "ann@example.com", **changes: Any) -> ChatSession:
    """A live session, with columns changed."""
    found = services.open_session(email=email, address="127.0.0.1", user_agent=AGENT)
    if changes:
        ChatSession.objects.filter(pk=found.pk).update(**changes)
        found.refresh_from_db()
    return found


def ask(session: ChatSession, text: str = "Hello?", **options: Any) -> ChatMessage:
    """A stored question; its answer is `.answer`."""
    from chat_app import services as chat

    posted = chat.post_message(session=session, text=text, **options)
    return posted.question


def answer_of(session: ChatSession, text: str = "Hello?", **options: Any) -> ChatMessage:
    """A queued answer."""
    return ChatMessage.objects.get(reply_to=ask(session, text, **options))


def claim() -> ChatMessage:
    """The one answer that can be claimed, claimed."""
    from chat_app import leases

    (found,) = leases.claim(most=10)
    return found


def finish(text: str = "An answer.") -> ChatMessage:
    """The one answer that can be claimed, done."""
    from chat_app import answers
    from chat_app.models import AnswerStatus

    answer = claim()
    assert answers.finish(answer=answer, outcome=answers.Outcome(AnswerStatus.DONE, text))
    answer.refresh_from_db()
    return answer


async def until(condition: Callable[[], Any]) -> Any:
    """Wait until it is so; what the condition gave."""
    async with asyncio.timeout(SECONDS):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found


async def watched(session: ChatSession) -> None:
    """Wait until a request on this loop waits for something of the session."""
    from chatsite.core import hub
    from sessions_app.selectors import poll

    await until(lambda: session.pk in hub.current(poll)._watchers)


def say(session: ChatSession, text: str = "A person speaks.") -> ChatMessage:
    """What staff say unasked, with its event."""
    from django.db import transaction
    from django.db.models import F

    from sessions_app.models import EventKind

    with transaction.atomic():
        ChatSession.objects.filter(pk=session.pk).update(last_seq=F("last_seq") + 1)
        seq = ChatSession.objects.get(pk=session.pk).last_seq
        row = ChatMessage.objects.create(
            session=session, seq=seq, message_type="staff", content=text
        )
        events.record_next(session_id=session.pk, kind=EventKind.MESSAGE, reference=row.pk)
    return row


def run_task(name: str) -> None:
    """Run a Celery task here, as a worker would."""
    for module in ("chat_app.tasks", "notifications.tasks", "sessions_app.tasks"):
        importlib.import_module(module)
    celery.current_app.tasks[name].apply(throw=True)


def ring(name: str) -> None:
    """The dispatcher's way to ring, without the broker: the task runs on its thread."""
    try:
        run_task(name)
    finally:
        connections.close_all()


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What the calls return, each made on a thread of its own, all at the same moment."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    barrier = Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        barrier.wait(SECONDS)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(SECONDS) for future in [pool.submit(one, call) for call in calls]]
