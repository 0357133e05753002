"""Bodies of requests: read no further than they may go, refused before they have come."""

from __future__ import annotations

import asyncio
import contextlib
import io
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestAborted

from chatsite.core import errors

# 64 KiB take 26 s at 20 kbit/s; whoever is slower holds a connection for its own sake.
_BODY_SECONDS: Final = 30.0
_LINGER_SECONDS: Final = 2.0


class Body(io.BytesIO):
    """What came of a body, and why it is refused if it is."""

    refused: errors.Problem | None = None

    async def read_from(self, receive: Any) -> None:
        """Read no more than shows that it is too large, or late; raises RequestAborted."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                await self._read_from(receive)
        except TimeoutError:
            self.refused = errors.RequestTimeout()

    async def _read_from(self, receive: Any) -> None:
        while self.tell() <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.close()
                raise RequestAborted
            self.write(message.get("body", b""))
            if not message.get("more_body", False):
                return


class Unread:
    """A receive channel whose body, declared too large, is not waited for.

    Nobody reads while the refusal is made: a read would ask the client to go on (RFC 9110 10.1.1).
    """

    def __init__(self) -> None:
        self._is_first = True

    async def __call__(self) -> Any:
        if not self._is_first:
            await asyncio.Event().wait()
        self._is_first = False
        return {"type": "http.request", "body": b"", "more_body": False}


async def linger(scope: Any, receive: Any) -> None:
    """Drop what the client still sends, for a moment: a closed socket would take the refusal back.

    Closing with unread bytes resets the connection, and what was answered is lost on its way.
    """
    if any(name == b"expect" for name, _ in scope["headers"]):
        return  # it waits to be asked for the body, and is not
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass


def is_too_large(scope: Any) -> bool:
    """Whether the body is declared to be larger than it may be."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    # Gunicorn lets only digits through.
    return len(declared) > 10 or int(declared or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
