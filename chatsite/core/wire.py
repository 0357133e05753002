"""How gunicorn's protocol answers what is no request, and how long it waits for one's head.

It reaches into gunicorn, whose version is pinned; tests/abuse/test_a24_half_sent.py holds it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.conf import settings
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.glogging import Logger
from gunicorn.workers import gasgi

from chatsite.core import errors

_LAST_LOOK_SECONDS: Final = 0.5
_PROBLEMS: Final = {
    414: ("uri_too_long", "The address is too long"),
    431: ("headers_too_large", "The headers are too large"),
    500: ("internal_error", "Something went wrong"),
    501: ("not_implemented", "This transfer coding is not supported"),
}


class Protocol(ASGIProtocol):  # type: ignore[misc]
    """Gunicorn's, with the one body of errors, a limit on half-sent heads, and no WebSocket."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the head; gunicorn itself does so for ever."""
        super().connection_made(transport)
        self._wait_for_head(settings.REQUEST_HEAD_SECONDS, self._last_look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end_timer()
        super().connection_lost(exc)

    def _on_headers_complete(self) -> Any:
        self._end_timer()
        return super()._on_headers_complete()

    def _last_look(self) -> None:
        """Once more: after a stall the loop runs what is due before it reads what has come."""
        self._wait_for_head(_LAST_LOOK_SECONDS, self._keepalive_timeout)

    def _wait_for_head(self, seconds: float, then: Callable[[], None]) -> None:
        self._head_timer = self.worker.loop.call_later(seconds, then)

    def _end_timer(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None

    def _is_websocket_upgrade(self, _request: Any) -> bool:
        return False  # nothing here speaks it, and an Upgrade may be ignored (RFC 9110 7.8)

    def _send_error_response(
        self, status: int, message: str, extra_headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """A problem in place of a line of text that quotes what was sent."""
        code, title = _PROBLEMS.get(status, ("invalid_input", "This is not a valid HTTP request"))
        request_id = uuid.uuid4().hex
        body = json.dumps(
            {
                "type": f"urn:chatsite:problem:{code}",
                "title": title,
                "status": status,
                "detail": title,
                "code": code,
                "request_id": request_id,
            }
        ).encode()
        headers = {
            "Content-Type": errors.CONTENT_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Request-ID": request_id,
            "Server": "chatsite",
            **dict(extra_headers),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._safe_write(
            f"HTTP/1.1 {status} {self._get_reason_phrase(status)}\r\n{lines}\r\n".encode() + body
        )


class Quiet(Logger):  # type: ignore[misc]
    """Gunicorn's logger, which builds no line of each request: the application logs its own."""

    def _compute_access_log_enabled(self) -> bool:
        return False


def install() -> None:
    """Have gunicorn's `asgi` worker use it."""
    gasgi.ASGIProtocol = Protocol
