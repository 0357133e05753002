"""A provider on loopback that says one word, so that a worker's first call is not a visitor's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

_SHARED: Final = {"id": "warm-up", "created": 1, "model": "warm-up"}
_USAGE: Final = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
_SAID: Final = {"role": "assistant", "content": "Hello."}


@asynccontextmanager
async def provider() -> AsyncIterator[str]:
    """The base URL of an OpenAI-compatible provider that lives as long as the block."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}/v1"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, rest = head.partition(b"content-length:")
        body = await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        writer.write(_streamed() if json.loads(body).get("stream") else _whole())
        await writer.drain()
    except (OSError, ValueError, asyncio.IncompleteReadError):
        pass  # it is left
    finally:
        writer.close()


def _whole() -> bytes:
    choices = [{"index": 0, "finish_reason": "stop", "message": _SAID}]
    found = {**_SHARED, "object": "chat.completion", "choices": choices, "usage": _USAGE}
    return _response("application/json", json.dumps(found))


def _streamed() -> bytes:
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": _SAID, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": _USAGE},
    ]
    lines = [json.dumps({**_SHARED, "object": "chat.completion.chunk", **one}) for one in chunks]
    return _response("text/event-stream", "".join(f"data: {x}\n\n" for x in [*lines, "[DONE]"]))


def _response(kind: str, body: str) -> bytes:
    size = f"Content-Length: {len(body)}\r\nConnection: close"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{size}\r\n\r\n"
    return (head + body).encode()
