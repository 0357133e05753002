"""What a request holds while it waits or streams, and after: a thousand are one process's memory.

Python looks for garbage seldom (runtime.py), so these look without it: what is held is what
references hold."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIRequest
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from chat_app.models import ChatMessage
from chatsite import asgi
from sessions_app.models import ChatSession, SessionContact
from tests.support import AGENT, SECONDS, bearer, finish, until, watched

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


async def call(path: str, body: Any = None, **headers: str) -> ApplicationCommunicator:
    """A request to the web process's handler, by a client that stays."""
    named = {"host": "localhost", "user-agent": AGENT, **headers}
    if body is not None:
        named["content-type"] = "application/json"
    scope = {
        "type": "http",
        "method": "GET" if body is None else "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 1),
    }
    made = ApplicationCommunicator(asgi.Handler(), scope)
    sent = b"" if body is None else json.dumps(body).encode()
    await made.send_input({"type": "http.request", "body": sent})
    return made


async def test_holds_no_row_and_no_view_when_a_visitor_waits(web):
    before = held(*_ROWS, *_WORLD)
    asking = await call("/chat", {"message": "Hello?"}, **bearer(web.session))
    await watched(web.session)

    # Here and below: the thread that did the work lets go a little after it is done.
    await until(lambda: held(*_ROWS, *_WORLD) == before)

    await sync_to_async(finish)("Done.")
    assert (await asking.receive_output(SECONDS))["status"] == 200
    await asking.wait(SECONDS)


async def test_holds_no_request_and_no_headers_when_a_stream_is_open(web):
    before = held(ASGIRequest, *_ROWS, *_WORLD)
    reading = await call("/chat/events", accept="text/event-stream", **bearer(web.session))
    start = await reading.receive_output(SECONDS)
    await reading.receive_output(SECONDS)

    assert start["status"] == 200
    assert start["headers"] == []  # they were there when they were sent
    await until(lambda: held(ASGIRequest, *_ROWS, *_WORLD) == before)
    reading.stop()


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
    asking = await call(path, body, prefer="respond-async", **bearer(web.session))
    await asking.wait(SECONDS)

    assert (await asking.output_queue.get())["status"] == status
    await until(lambda: held(ASGIRequest, *_ROWS, *_WORLD) == before)
