"""A cheap OpenAI-compatible provider; the model's name says what it does.

`python -m benchmarks.provider PORT`. Models, parts joined by `-`: `words40` (words of the answer),
`wait1.9` (seconds before the first byte), `gap0.02` (seconds between words, when streamed). Times
are kept from the request on, so that what the provider adds itself is seen in no figure."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import sys
from typing import Any

import uvloop

_PART = re.compile(r"([a-z]+)([0-9.]+)")
_ASKED = re.compile(r"\[([a-z0-9.-]+)\]")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


class Caller(asyncio.Protocol):
    """One kept connection of a client, and its requests, one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing read."""
        self._transport: Any = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._read += data
        head, end, rest = self._read.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        wanted = int(length.group(1)) if length else 0
        if end and len(rest) >= wanted:
            self._read = rest[wanted:]
            self._answer(json.loads(rest[:wanted]))

    def _answer(self, body: dict[str, Any]) -> None:
        parts = _parts(body)
        loop = asyncio.get_running_loop()
        first = loop.time() + parts.get("wait", 0.0)
        words = int(parts.get("words", 20))
        if not body.get("stream"):
            loop.call_at(first, self._write, _whole(words))
            return
        pieces = [_STREAM_HEAD, *map(_piece, range(words)), _end(words)]
        gap = parts.get("gap", 0.0)
        due = [first, *(first + number * gap for number in range(words + 1))]
        loop.call_at(first, self._stream, pieces, due, 0)

    def _stream(self, pieces: list[bytes], due: list[float], place: int) -> None:
        # One timer after the other: uvloop rounds each by itself, and two may change places.
        loop = asyncio.get_running_loop()
        while place < len(pieces) and due[place] <= loop.time() + 0.0005:
            self._write(pieces[place])
            place += 1
        if place < len(pieces):
            loop.call_at(due[place], self._stream, pieces, due, place)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


def _parts(body: dict[str, Any]) -> dict[str, float]:
    name = body["model"]
    if name == "asked":
        # Not at the beginning: there stands the mark of a visitor's words.
        named = _ASKED.search(body["messages"][-1]["content"])
        name = named.group(1) if named else ""
    return {part: float(value) for part, value in _PART.findall(name)}


def _usage(words: int) -> dict[str, int]:
    return {"prompt_tokens": 11, "completion_tokens": words, "total_tokens": 11 + words}


@functools.cache
def _whole(words: int) -> bytes:
    text = "".join(map(_word, range(words)))
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
    }
    body = json.dumps({**_SHARED, "object": "chat.completion", "choices": [choice],
                       "usage": _usage(words)}).encode()  # fmt: skip
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


@functools.cache
def _piece(number: int) -> bytes:
    delta = {"role": "assistant", "content": _word(number)}
    return _chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


@functools.cache
def _end(words: int) -> bytes:
    last = _chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = _chunk({"choices": [], "usage": _usage(words)})
    return last + usage + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


def _chunk(data: dict[str, Any]) -> bytes:
    line = f"data: {json.dumps({**_SHARED, 'object': 'chat.completion.chunk', **data})}\n\n"
    return f"{len(line):x}\r\n{line}\r\n".encode()


def _word(number: int) -> str:
    return f"word{number} "


_SHARED = {"id": "c", "created": 1, "model": "bench"}


async def _serve(port: int) -> None:
    await asyncio.get_running_loop().create_server(Caller, "127.0.0.1", port, backlog=2048)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
