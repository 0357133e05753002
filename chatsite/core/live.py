"""What is told over Redis while it happens: announcements of events, and pieces of answers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

from chatsite.core import bells
from chatsite.core.dispatch import Dispatcher

# One channel for all announcements: each process filters them itself, so that a waiting request
# subscribes to nothing. Pieces of answers go to a channel of their session, read on demand.
EVENTS = "chatsite:events"
STOPS = "chatsite:stops"
# Bells are told here as well as rung through Celery: a worker that listens need not wait for it.
BELLS = "chatsite:bells"
_PARTIAL_SECONDS = 300
_PARTIAL_ENTRIES = 4000


@dataclass(frozen=True, slots=True)
class Announcement:
    """That event `seq` of a session was stored: its kind and the row it is about."""

    session: str
    seq: int
    kind: str
    reference: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer: `offset` counts the characters of the same attempt before it."""

    session: str
    answer: str
    attempt: int
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Typing:
    """That somebody is writing in a session just now: told to those who watch, kept nowhere."""

    session: str
    who: str


def announce(announcement: Announcement) -> None:
    """Tell every process of a stored event once the transaction is committed; never blocks."""
    message = encode(announcement)
    transaction.on_commit(lambda: _dispatcher.publish(EVENTS, message))


def tell_typing(typing: Typing) -> None:
    """Tell those who watch that somebody is writing; never blocks, and may be lost."""
    _dispatcher.publish(delta_channel(typing.session), encode(typing))


def request_stop(answer: str) -> None:
    """Tell the workers, on commit, to stop this answer; the heartbeat finds it in any case."""
    transaction.on_commit(lambda: _dispatcher.publish(STOPS, answer))


def ring(task: str) -> None:
    """Have the Celery task `task` run soon, on commit; never blocks, and may be lost."""
    transaction.on_commit(lambda: _tell(task))


def _tell(task: str) -> None:
    _dispatcher.publish(BELLS, task)
    _dispatcher.ring(task)


def flush(timeout: float = 1.0) -> bool:
    """Wait until everything was told; for tests and for the end of a process."""
    return _dispatcher.flush(timeout)


def delta_channel(session: str) -> str:
    """Where the pieces of a session's answers are published."""
    return f"chatsite:deltas:{session}"


def partial_key(answer: str) -> str:
    """The stream that holds the pieces of a running answer for readers that come late."""
    return f"chatsite:partial:{answer}"


def encode(item: Announcement | Delta | Typing) -> str:
    """The item as one line of JSON."""
    return json.dumps(asdict(item), separators=(",", ":"))


def decode_announcements(data: bytes) -> list[Announcement]:
    """The announcements in a message of EVENTS, one a line."""
    return [Announcement(**json.loads(line)) for line in data.split(b"\n")]


def decode_delta(data: bytes | str) -> Delta:
    """A delta as it is kept for late readers."""
    return Delta(**json.loads(data))


def decode_piece(data: bytes | str) -> Delta | Typing:
    """What is in a message of a delta channel."""
    found = json.loads(data)
    return Typing(**found) if "who" in found else Delta(**found)


async def publish_delta(client: redis.asyncio.Redis, delta: Delta) -> None:
    """Keep a piece of an answer for late readers and tell those who watch; one round trip."""
    key, message = partial_key(delta.answer), encode(delta)
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.xadd(key, {"d": message}, maxlen=_PARTIAL_ENTRIES, approximate=True)
        pipeline.expire(key, _PARTIAL_SECONDS)
        pipeline.publish(delta_channel(delta.session), message)
        await pipeline.execute()


async def partial(client: redis.asyncio.Redis, answer: str) -> list[Delta]:
    """The pieces of the latest attempt that are kept, in order."""
    entries: Any = await client.xrange(partial_key(answer))
    deltas = [decode_delta(fields[b"d"]) for _, fields in entries]
    latest = max((delta.attempt for delta in deltas), default=0)
    return [delta for delta in deltas if delta.attempt == latest]


def async_client(**options: Any) -> redis.asyncio.Redis:
    """A client for one event loop; commands time out after REDIS_TIMEOUT unless told otherwise."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        **{
            "socket_timeout": settings.REDIS_TIMEOUT,
            "socket_connect_timeout": settings.REDIS_TIMEOUT,
            "max_connections": 200,
            **options,
        },
    )


_sync_client: redis.Redis | None = None


def _send(messages: list[tuple[str, str]]) -> None:
    global _sync_client
    if _sync_client is None:
        _sync_client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=settings.REDIS_TIMEOUT,
            socket_connect_timeout=settings.REDIS_TIMEOUT,
        )
    with _sync_client.pipeline(transaction=False) as pipeline:
        for channel, message in _joined(messages):
            pipeline.publish(channel, message)
        pipeline.execute()


def _joined(messages: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same with all announcements as one message, and each bell once: readers pay by message.

    Only announcements have an order among them; stops and bells are heard by others.
    """
    announced = "\n".join(message for channel, message in messages if channel == EVENTS)
    others = dict.fromkeys(one for one in messages if one[0] != EVENTS)
    return [*([(EVENTS, announced)] if announced else []), *others]


_dispatcher = Dispatcher(send=_send, ring=bells.ring)
