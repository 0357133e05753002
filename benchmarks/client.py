"""A cheap HTTP/1.1 client: it shares the cores with what it measures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any


class Broken(Exception):
    """The server closed the connection before the answer was whole."""


class Connection(asyncio.Protocol):
    """One kept connection; one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._transport: Any = None
        self._reader = asyncio.StreamReader()

    async def call(
        self, method: str, path: str, body: Any = None, headers: str = ""
    ) -> tuple[int, Any]:
        """The status and the decoded body; `headers` are lines that end in CRLF."""
        status, length, _ = await self._send(method, path, body, headers)
        raw = await self._reader.readexactly(length)
        return status, json.loads(raw) if raw else None

    async def stream(
        self, method: str, path: str, body: Any = None, headers: str = ""
    ) -> AsyncIterator[tuple[str, Any, float]]:
        """Server-sent events: name, data, and when it came (perf_counter)."""
        wanted = headers + "Accept: text/event-stream\r\n"
        status, length, chunked = await self._send(method, path, body, wanted)
        if status != 200 or not chunked:
            raise Broken(f"{status}: {await self._reader.readexactly(length)!r}")
        rest = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            rest += (await self._reader.readexactly(size + 2))[:-2]
            now = time.perf_counter()
            *blocks, rest = rest.split(b"\n\n")
            for block in blocks:
                if event := _event(block):
                    yield (*event, now)
        await self._reader.readuntil(b"\r\n")

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    async def _send(self, method: str, path: str, body: Any, headers: str) -> tuple[int, int, bool]:
        if self._transport is None or self._transport.is_closing():
            await self._connect()
        data = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if data else ""
        self._transport.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{kind}"
            f"Content-Length: {len(data)}\r\n\r\n".encode()
            + data
        )
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        except asyncio.IncompleteReadError as error:
            raise Broken(path) from error
        _, found, rest = head.partition(b"content-length:")
        length = int(rest.split(b"\r\n", 1)[0]) if found else 0
        return int(head[9:12]), length, b"transfer-encoding: chunked" in head

    async def _connect(self) -> None:
        self._reader = asyncio.StreamReader(limit=2**22)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, self._host, self._port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio's."""
        self._reader.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's."""
        self._reader.feed_eof()


def _event(block: bytes) -> tuple[str, Any] | None:
    name, data = "", b""
    for line in block.split(b"\n"):
        if line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"data: "):
            data = line[6:]
    return (name, json.loads(data)) if name else None
