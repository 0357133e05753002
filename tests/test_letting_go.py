"""What a request holds while it waits or streams, and after: a thousand are one process's memory.

Python looks for garbage seldom (runtime.py), so these look without it: what is held is what
references hold."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from chat_app.models import ChatMessage
from chatsite import asgi
from sessions_app.models import ChatSession, SessionContact
from tests.support import AGENT, SECONDS, bearer, finish, watched

pytestmark = pytest.mark.asyncio

_ROWS = (ChatMessage, ChatSession, SessionContact)
_WORLD = (APIView, Request, BaseSerializer)


@pytest.fixture(autouse=True)
def _no_looking_for_garbage() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held(*kinds: type) -> int:
    return sum(isinstance(one, kinds) for one in gc.get_objects())


async def holds(count: int, *kinds: type) -> bool:
    """Whether it comes to that: the thread that did the work lets go a little after it is done."""
    for _ in range(100):
        if held(*kinds) == count:
            return True
        await asyncio.sleep(0.01)
    return False


class Call:
    """A request through the web process's handler, by a client that stays."""

    def __init__(self, path: str, body: Any = None, **headers: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self._body = [b"" if body is None else json.dumps(body).encode()]
        named = {"host": "localhost", "user-agent": AGENT, **headers}
        if body is not None:
            named["content-type"] = "application/json"
        self._scope = {
            "type": "http",
            "method": "GET" if body is None else "POST",
            "path": path,
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in named.items()],
            "client": ("127.0.0.1", 1),
        }
        self.task = asyncio.create_task(asgi.Handler()(self._scope, self._receive, self._send))

    async def until(self, count: int) -> None:
        """Wait until so many messages were sent."""
        async with asyncio.timeout(SECONDS):
            while len(self.sent) < count and not self.task.done():
                await asyncio.sleep(0.005)

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


async def test_holds_no_row_and_no_view_when_a_visitor_waits(web):
    before = held(*_ROWS, *_WORLD)
    call = Call("/chat", {"message": "Hello?"}, **bearer(web.session))
    await watched(web.session)

    assert await holds(before, *_ROWS, *_WORLD)

    await sync_to_async(finish)("Done.")
    await call.task
    assert call.sent[0]["status"] == 200


async def test_holds_no_request_and_no_headers_when_a_stream_is_open(web):
    before = held(ASGIRequest, *_ROWS, *_WORLD)
    call = Call("/chat/events", accept="text/event-stream", **bearer(web.session))
    await call.until(2)

    assert call.sent[0]["status"] == 200
    assert call.sent[0]["headers"] == []  # they were there when they were sent
    assert await holds(before, ASGIRequest, *_ROWS, *_WORLD)
    call.task.cancel()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/auth/email", {"email": "grace@example.com"}, 200),
        ("/auth/email", {"email": "nobody"}, 400),
        ("/chat", {"message": "Hello?"}, 202),
        ("/chat/history", None, 200),
        ("/auth/session", None, 200),
    ],
)
async def test_leaves_nothing_to_look_for_when_a_request_is_answered(web, path, body, status):
    before = held(ASGIRequest, *_ROWS, *_WORLD)
    call = Call(path, body, prefer="respond-async", **bearer(web.session))
    await call.task

    assert call.sent[0]["status"] == status, call.sent
    assert await holds(before, ASGIRequest, *_ROWS, *_WORLD)
