"""Visitors of the running product: they ask, follow their streams, and remember what they saw."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.waiting import WITHIN

_numbers = itertools.count(1)


@dataclass
class Answered:
    """One response; `body` is empty where it was no JSON object."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


@dataclass
class Event:
    """One event as it was read."""

    name: str
    data: dict[str, Any]
    id: int | None


@dataclass
class Stream:
    """What an open event stream has brought so far."""

    events: list[Event] = field(default_factory=list)
    ended: bool = False  # by the server, in order
    error: Exception | None = None
    local_port: int = 0
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, is_so: Callable[[Stream], object], within: float = WITHIN) -> None:
        """Wait until what was read fulfils `is_so`."""
        try:
            async with asyncio.timeout(within), self._more:
                await self._more.wait_for(lambda: is_so(self))
        except TimeoutError:
            seen = [(event.id, event.name) for event in self.events[-20:]]
            raise TimeoutError(f"the stream brought only … {seen}, error {self.error!r}") from None

    async def until_event(self, name: str, count: int = 1, within: float = WITHIN) -> Event:
        """Wait for the `count`-th event of this name."""
        await self.until(lambda _: len(self.named(name)) >= count, within)
        return self.named(name)[count - 1]

    async def until_ended(self) -> None:
        """Wait until the stream is over, one way or the other."""
        await self.until(lambda _: self.ended or self.error)

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def durable(self) -> list[int]:
        """The numbers of the events that have one."""
        return [event.id for event in self.events if event.id is not None]

    def joined(self, answer_id: str) -> str:
        """The deltas of an answer since its last restart."""
        text = ""
        for event in self.events:
            if event.data.get("answer_id") != answer_id:
                continue
            if event.name == "restart":
                text = ""
            elif event.name == "delta":
                text += event.data["text"]
        return text

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Take events until the response ends."""
        block: list[str] = []
        try:
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line:
                    block.append(line)
                else:
                    await self._take(block)
                    block = []
            self.ended = True
        except (aiohttp.ClientError, OSError) as error:
            self.error = error
        async with self._more:
            self._more.notify_all()

    async def _take(self, block: list[str]) -> None:
        fields = dict(line.split(": ", 1) for line in block if not line.startswith(":"))
        if "event" not in fields:
            return
        number = int(fields["id"]) if "id" in fields else None
        self.events.append(Event(fields["event"], json.loads(fields["data"]), number))
        async with self._more:
            self._more.notify_all()


class Visitor:
    """Somebody with a session."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, token: str, session_id: str = ""
    ) -> None:
        self._http, self._url, self.session_id = http, url, session_id
        self.headers = {"Authorization": f"Bearer {token}"}

    async def ask(self, text: str, **headers: str) -> tuple[int, dict[str, Any]]:
        """Ask and wait; the status and the body."""
        return await self._call("POST", "/chat", json={"message": text}, headers=headers)

    async def post(self, text: str, **headers: str) -> dict[str, Any]:
        """Ask without waiting; what was accepted."""
        status, body = await self.ask(text, Prefer="respond-async", **headers)
        assert status == 202, body
        return body

    async def stop(self, answer_id: str) -> dict[str, Any]:
        """Stop an answer."""
        status, body = await self._call("POST", f"/chat/answers/{answer_id}/stop")
        assert status == 200, body
        return body

    async def message(self, message_id: str) -> dict[str, Any]:
        """One message as it is now."""
        status, body = await self._call("GET", f"/chat/messages/{message_id}")
        assert status == 200, body
        return body

    async def history(self) -> list[dict[str, Any]]:
        """All pairs."""
        status, body = await self._call("GET", "/chat/history?limit=200")
        assert status == 200, body
        pairs: list[dict[str, Any]] = body["messages"]
        return pairs

    async def finished(self, count: int, within: float = WITHIN) -> list[dict[str, Any]]:
        """The history, once it has `count` questions and all are answered."""
        async with asyncio.timeout(within):
            while True:
                pairs = await self.history()
                ends = [pair["status"] in {"done", "failed", "stopped"} for pair in pairs]
                if len(pairs) == count and all(ends):
                    return pairs
                await asyncio.sleep(0.25)

    @contextlib.asynccontextmanager
    async def follow(self, *, last_event_id: int = 0) -> AsyncIterator[Stream]:
        """The session's event stream, read until the block ends."""
        headers = {"Last-Event-ID": str(last_event_id)}
        async with self._streamed("GET", "/chat/events", headers=headers) as stream:
            yield stream

    @contextlib.asynccontextmanager
    async def ask_streamed(self, text: str) -> AsyncIterator[Stream]:
        """The stream of one question's answer."""
        async with self._streamed("POST", "/chat", json={"message": text}) as stream:
            yield stream

    @contextlib.asynccontextmanager
    async def _streamed(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> AsyncIterator[Stream]:
        wanted = {**self.headers, "Accept": "text/event-stream", **(headers or {})}
        url = self._url + path
        async with self._http.request(method, url, headers=wanted, **options) as response:
            assert response.status == 200, await response.text()
            stream = Stream()
            connection = response.connection
            if connection is not None and connection.transport is not None:
                stream.local_port = connection.transport.get_extra_info("sockname")[1]
            reading = asyncio.create_task(stream.read(response))
            try:
                yield stream
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> Answered:
        """One request with the session's token, and what came back."""
        sent = {**self.headers, **(headers or {})}
        async with self._http.request(method, self._url + path, headers=sent, **options) as found:
            body = await found.json(content_type=None)
            return Answered(found.status, body if isinstance(body, dict) else {}, found.headers)

    async def _call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> tuple[int, dict[str, Any]]:
        found = await self.request(method, path, headers, **options)
        return found.status, found.body


@contextlib.asynccontextmanager
async def entrance(url: str) -> AsyncIterator[Entrance]:
    """Where visitors come in; their connections are closed at the end."""
    # No connection is used twice: it would tie a visitor to one web worker.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        yield Entrance(http, url)


class Entrance:
    """Signs visitors in."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url = http, url

    async def visitor(self) -> Visitor:
        """A new visitor."""
        email = {"email": f"visitor{next(_numbers)}@example.org"}
        async with self.http.post(f"{self.url}/auth/email", json=email) as response:
            body = await response.json()
            assert response.status == 200, body
        return Visitor(self.http, self.url, body["access_token"], body["session_id"])

    async def visitors(self, count: int, at_once: int = 50) -> list[Visitor]:
        """Many new visitors."""
        gate = asyncio.Semaphore(at_once)

        async def one() -> Visitor:
            async with gate:
                return await self.visitor()

        return list(await asyncio.gather(*(one() for _ in range(count))))
