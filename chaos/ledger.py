"""What the clients of a run remember: what they said, what was promised, what they read."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.system.visitors import Answered, Entrance, Event, Visitor

ACCEPTED = (200, 202)
_numbers = itertools.count(1)


@dataclass
class Word:
    """One question, under one key however often it was sent; status 0: no answer came."""

    session: str
    key: str
    text: str
    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    retry_after: list[str] = field(default_factory=list)
    message_id: str = ""
    answer_id: str = ""
    accepted_at: float = 0.0
    # Sent at the same time as others of its session: its place among them is open.
    at_once: bool = False

    @property
    def was_accepted(self) -> bool:
        """Whether it was promised that it is kept."""
        return bool(self.message_id)


@dataclass
class Ledger:
    """Everything that was promised."""

    words: list[Word] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    # What moderators wrote: the session and the text.
    staff: list[tuple[str, str]] = field(default_factory=list)

    @property
    def accepted(self) -> list[Word]:
        """The words whose keeping was promised."""
        return [word for word in self.words if word.was_accepted]


class Guest:
    """A visitor with a ledger, who sends again, under the same key, what was not accepted."""

    def __init__(self, visitor: Visitor, session: str, ledger: Ledger) -> None:
        self.visitor, self.session, self.ledger = visitor, session, ledger

    async def say(
        self, text: str, *, within: float = 60.0, wait: bool = False, at_once: bool = False
    ) -> Word:
        """Say it until it is accepted; gives up after `within` seconds."""
        word = self.word(text, at_once=at_once)
        await self.insist(word, within=within, wait=wait)
        return word

    async def insist(self, word: Word, *, within: float, wait: bool = False) -> None:
        """Send it until it is accepted; gives up after `within` seconds."""
        deadline = time.monotonic() + within
        while not await self.send(word, wait=wait) and time.monotonic() < deadline:
            await asyncio.sleep(0.25)

    def word(self, text: str, *, at_once: bool = False) -> Word:
        """A new entry of the ledger; nothing is sent."""
        word = Word(self.session, f"key-{next(_numbers)}", text, at_once=at_once)
        self.ledger.words.append(word)
        return word

    async def send(self, word: Word, *, wait: bool = False) -> bool:
        """Send it once; says whether it was accepted."""
        began = time.monotonic()
        headers = {"Idempotency-Key": word.key, **({} if wait else {"Prefer": "respond-async"})}
        try:
            found = await self.visitor.request(
                "POST", "/chat", json={"message": word.text}, headers=headers
            )
        except (aiohttp.ClientError, OSError, ValueError):
            found = Answered(0, {}, {})
        word.statuses.append(found.status)
        word.seconds.append(time.monotonic() - began)
        word.retry_after.append(found.headers.get("Retry-After", ""))
        if found.status not in ACCEPTED:
            return False
        word.message_id, word.answer_id = found.body["message_id"], found.body["answer_id"] or ""
        word.accepted_at = time.monotonic()
        return True

    def read(self) -> Reader:
        """Begin to read the session's events, and go on whatever happens."""
        reader = Reader(self)
        self.ledger.readers.append(reader)
        return reader


class Reader:
    """One page that stays open: it resumes where it was, and joins what it reads."""

    def __init__(self, guest: Guest) -> None:
        self.session = guest.session
        self.cursor = 0
        self.resumed = 0
        self.restarts: dict[str, int] = {}
        self.events: list[tuple[int, str, str]] = []  # number, name, the row it is about
        self.texts: dict[str, str] = {}
        self.torn: list[str] = []  # answers whose pieces were not their text
        self.ended: dict[str, float] = {}
        self._visitor = guest.visitor
        self._task = asyncio.create_task(self._for_ever())

    async def close(self) -> None:
        """Stop reading."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _for_ever(self) -> None:
        while True:
            try:
                await self._once()
            except (aiohttp.ClientError, OSError, AssertionError, ValueError):
                await asyncio.sleep(0.2)
            self.resumed += 1
            await asyncio.sleep(0.05)

    async def _once(self) -> None:
        async with self._visitor.follow(last_event_id=self.cursor) as stream:
            taken = 0
            while not (stream.ended or stream.error):
                await stream.until(
                    lambda s, n=taken: len(s.events) > n or s.ended or s.error, within=3600
                )
                for event in stream.events[taken:]:
                    self._take(event)
                    taken += 1

    def _take(self, event: Event) -> None:
        answer = str(event.data.get("answer_id", ""))
        if event.name == "restart":
            self.texts[answer] = ""
            self.restarts[answer] = self.restarts.get(answer, 0) + 1
        elif event.name == "delta":
            self.texts[answer] = self.texts.get(answer, "") + event.data["text"]
        elif event.name == "answer":
            self.ended[answer] = time.monotonic()
            if self.texts.get(answer, "") != event.data["response"]:
                self.torn.append(answer)
        if event.id is not None:
            self.events.append((event.id, event.name, _about(event.data)))
            self.cursor = max(self.cursor, event.id)


def _about(data: dict[str, Any]) -> str:
    return str(data.get("answer_id") or data.get("id") or "")


async def guests(door: Entrance, ledger: Ledger, count: int) -> list[Guest]:
    """New visitors with their sessions' ids."""
    gate = asyncio.Semaphore(20)

    async def one() -> Guest:
        async with gate:
            visitor = await _signed_in(door)
        return Guest(visitor, visitor.session_id, ledger)

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def _signed_in(door: Entrance) -> Visitor:
    """Signing in is not what a row is about: a 503 on a busy machine is tried again."""
    for _ in range(60):
        try:
            return await door.visitor()
        except (aiohttp.ClientError, OSError, AssertionError):
            await asyncio.sleep(0.5)
    return await door.visitor()
