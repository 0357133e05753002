"""chatsite.asgi: bodies are bounded before they are read whole, and threads last."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatsite import asgi
from tests import support

AGENT = (b"user-agent", support.AGENT.encode())
JSON = (b"content-type", b"application/json")


async def call(
    chunks: list[bytes], *, gone: bool = False, stalls: bool = False
) -> tuple[int, dict[str, Any]]:
    """POST these chunks; the status and the body. After them the client leaves, or stalls."""
    read, sent, left = 0, [], asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        if read <= len(chunks):
            more = read < len(chunks) or gone or stalls
            return {"type": "http.request", "body": chunks[read - 1], "more_body": more}
        if not gone:
            await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await asgi.Handler()(scope(), receive, send)
    if not sent:
        return 0, {}
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(body)


def scope() -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/auth/email",
        "raw_path": b"/auth/email",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"localhost"), AGENT, JSON],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


@pytest.mark.asyncio
async def test_takes_a_chunked_body_that_names_no_length(transactional_db):
    status, body = await call([b'{"email": ', b'"ada@example.com"}'])

    assert (status, body["token_type"]) == (200, "bearer")


@pytest.mark.asyncio
async def test_stops_reading_when_a_body_is_too_large(transactional_db):
    chunks = iter([b"x" * 16384] * 500)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(chunks), "more_body": True}

    kept = await asgi.Handler().read_body(receive)

    assert kept.tell() == 5 * 16384
    assert len(list(chunks)) == 495


@pytest.mark.asyncio
async def test_says_so_when_a_body_is_too_large(transactional_db):
    status, body = await call([b"x" * 16384] * 500)

    assert (status, body["code"]) == (413, "payload_too_large")


@pytest.mark.asyncio
async def test_answers_nobody_when_the_client_is_gone():
    status, _ = await call([b'{"email": '], gone=True)

    assert status == 0


@pytest.mark.asyncio
async def test_serves_http_only():
    with pytest.raises(ValueError, match="websocket"):
        await asgi.Handler()({"type": "websocket"}, _never, _never)


def test_gives_each_request_the_idlest_thread():
    slots = asgi.Slots(2)

    taken = [slots.take("GET"), slots.take("GET"), slots.take("GET")]
    slots.leave(taken[1])

    assert taken == [0, 1, 0]
    assert slots.take("GET") == 1


@pytest.mark.parametrize("module", ["chatsite.asgi", "chatsite.celery, notifications.tasks"])
def test_imports_neither_the_models_nor_their_library(module):
    program = f"import django, sys; django.setup(); import {module}; print(*sys.modules)"

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    loaded = set(run.stdout.split())
    assert "django" in loaded
    assert "litellm" not in loaded
    assert ("discord" in loaded) is (module != "chatsite.asgi")


@pytest.mark.asyncio
async def test_goes_to_a_thread_once_when_the_request_is_the_apis(transactional_db, monkeypatch):
    asgi.leave_connections_to_threads()  # Django's test client takes them back
    submitted = []
    submit = asgi.Thread.submit
    monkeypatch.setattr(
        asgi.Thread, "submit", lambda self, act, *args: submitted.append(act) or submit(self, act)
    )

    status, _ = await call([b'{"email": "ada@example.com"}'])

    assert (status, len(submitted)) == (200, 1)


@pytest.mark.asyncio
async def test_asks_pages_for_their_forms_token(transactional_db):
    sent = []

    async def receive() -> dict[str, Any]:
        if sent or receive_once:
            await asyncio.Event().wait()
        receive_once.append(True)
        return {"type": "http.request", "body": b"username=ada", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    receive_once: list[bool] = []
    form = (b"content-type", b"application/x-www-form-urlencoded")
    page = {**scope(), "path": "/admin/login/", "headers": [(b"host", b"localhost"), AGENT, form]}
    await asgi.Handler()(page, receive, send)

    assert sent[0]["status"] == 403


@pytest.mark.asyncio
async def test_cancels_what_it_serves_when_the_client_goes(monkeypatch):
    began, ended = asyncio.Event(), []

    async def serve(self: Any, request: Any) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def receive() -> dict[str, Any]:
        if not began.is_set() and not chunks:
            chunks.append(True)
            return {"type": "http.request", "body": b"{}", "more_body": False}
        await began.wait()
        return {"type": "http.disconnect"}

    chunks: list[bool] = []
    monkeypatch.setattr(asgi.Handler, "run_get_response", serve)
    await asgi.Handler()(scope(), receive, _never)

    assert ended == [True]


@pytest.mark.asyncio
async def test_raises_what_the_server_could_not_be_told(monkeypatch):
    async def serve(self: Any, request: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr(asgi.Handler, "run_get_response", serve)
    with pytest.raises(OSError, match="gone"):
        await call([b"{}"])


_never: Callable[..., Awaitable[Any]] = asyncio.sleep


def test_a_read_finds_a_thread_while_writes_wait_on_all_others() -> None:
    slots = asgi.Slots(3)
    writes = {slots.take("POST") for _ in range(6)}
    assert slots.take("GET") not in writes
    assert asgi.Slots(1).take("POST") == 0
