"""A24: half-sent heads and bodies cost the server a connection, for a while, and nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from chatsite.core import bodies
from tests.abuse.wire import HEAD_SECONDS, Web, head, read

MANY = 500


@pytest.fixture
def half_sent(wire: Web) -> Iterator[list[Any]]:
    """500 connections on which a head has begun."""
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(wire.open()) for _ in range(MANY)]
        for connection in connections:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        yield connections


def test_answers_health_while_500_heads_are_half_sent(wire: Web, half_sent: list[Any]) -> None:
    assert httpx.get(f"{wire.url}/health", timeout=10).json()["database"] == "connected"
    assert httpx.get(f"{wire.url}/health/live", timeout=10).status_code == 200

    # They are let go, and whoever kept sending a byte now and then with them.
    deadline = time.monotonic() + HEAD_SECONDS * 20
    left = list(half_sent)
    while left and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            left[-1].sendall(b"a")
        left = [connection for connection in left if not _is_closed(connection)]
        time.sleep(0.2)
    assert not left


def test_refuses_a_body_that_is_too_long_in_coming(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    from tests.test_asgi import call

    monkeypatch.setattr(bodies, "_BODY_SECONDS", 0.05)

    status, body = asyncio.run(call([b'{"email": '], stalls=True))

    assert (status, body["code"]) == (408, "request_timeout")


def test_keeps_a_connection_that_sends_its_head_in_pieces(wire: Web) -> None:
    whole = head("GET", "/health/live")
    with wire.open() as connection:
        for start in range(0, len(whole), 40):
            connection.sendall(whole[start : start + 40])
        assert read(connection).status == 200


def _is_closed(connection: Any) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(20)
