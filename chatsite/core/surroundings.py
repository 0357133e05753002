"""What is wrong around a process: the database, Redis, the clocks, the disk; each with an id.

Asked at the start, before anything is served, and again by whoever asks whether the product is
ready: what cannot be asked yet is said, and heals without a restart."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis
import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from redis.exceptions import RedisError

from chatsite.core import schema

log = structlog.get_logger(__name__)

LEAST_POSTGRESQL: Final = 14  # Django 5.2's own least
MOST_SKEW: Final = 5.0
_FRESH_SECONDS: Final = 10.0
_HERE: Final = (None, "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `refuses`: nothing is to be started like this."""

    id: str
    text: str
    hint: str
    refuses: bool = False


def look(*, most_seconds_old: float = _FRESH_SECONDS) -> tuple[Finding, ...]:
    """What is wrong now; what is new, and what is over, is logged once."""
    if _is_stale(most_seconds_old) and _lock.acquire(blocking=_last is None):
        try:
            _remember(tuple(_all()))
        finally:
            _lock.release()
    return _last[1] if _last else ()


def refuse() -> None:
    """Look, and end the process where something is found that it must not run with."""
    if fatal := [one for one in look(most_seconds_old=0.0) if one.refuses]:
        raise SystemExit("\n".join(f"{one.id}: {one.text} {one.hint}" for one in fatal))


def has(findings: tuple[Finding, ...], *ids: str) -> bool:
    """Whether one of these is among the findings."""
    return any(one.id in ids for one in findings)


def _is_stale(most_seconds_old: float) -> bool:
    return _last is None or time.monotonic() - _last[0] > most_seconds_old


def _all() -> Iterator[Finding]:
    for ask, errors, away in _QUESTIONS:
        try:
            yield from ask()
        except errors as error:
            yield Finding(
                away,
                f"{ask.__name__.strip('_').capitalize()} cannot be asked yet"
                f" ({type(error).__name__}).",
                "It is asked again; nothing needs a restart.",
            )


def _database() -> Iterator[Finding]:
    began = time.time()
    is_postgresql = connection.vendor == "postgresql"
    try:
        with connection.cursor() as cursor:
            if is_postgresql:
                cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
                yield from _skew("database", float(cursor.fetchone()[0]), began)
                yield from _version(connection.pg_version)  # type: ignore[attr-defined]
            missing = schema.missing(cursor)
    finally:
        connection.close()
    if missing:
        yield Finding(
            "chatsite.W033",
            f"{len(missing)} migrations are not applied, the first is {missing[0]}.",
            "Run: python manage.py migrate",
        )


def _version(number: int) -> Iterator[Finding]:
    if number < LEAST_POSTGRESQL * 10_000:
        yield Finding(
            "chatsite.E034",
            f"PostgreSQL {number // 10_000} is too old.",
            f"Use PostgreSQL {LEAST_POSTGRESQL} or newer.",
            refuses=True,
        )


def _redis() -> Iterator[Finding]:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=settings.REDIS_TIMEOUT,
        socket_connect_timeout=settings.REDIS_TIMEOUT,
    )
    with client:
        began = time.time()
        seconds, micros = client.time()
        yield from _skew("Redis", seconds + micros / 1e6, began)
        # Not CONFIG GET, which hosted Redis mostly denies.
        policy = dict(client.info("memory")).get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            "chatsite.E030",
            f"Redis may throw away what limits and the broker keep there ({policy}).",
            "Set its maxmemory-policy to noeviction.",
            refuses=not settings.DEBUG,
        )


def _disk() -> Iterator[Finding]:
    """SQLite is a file of this machine: it must be writable, and no other machine has it."""
    if connection.vendor != "sqlite":
        return
    folder = Path(settings.DATABASES["default"]["NAME"]).parent
    if not os.access(folder, os.W_OK):
        yield Finding(
            "chatsite.E037",
            f"{folder} cannot be written, and the database is to be there.",
            "Make it writable, or name another file in DATABASE_URL.",
            refuses=True,
        )
    if urlsplit(settings.REDIS_URL).hostname not in _HERE:
        yield Finding(
            "chatsite.W036",
            "The database is a file of this machine, and Redis is on another one.",
            "With processes on several machines set DATABASE_URL to PostgreSQL.",
        )


def _skew(who: str, theirs: float, began: float) -> Iterator[Finding]:
    """Their clock against the middle of the question's time, less what the question took."""
    took = time.time() - began
    apart = theirs - (began + took / 2)
    if abs(apart) - took / 2 > MOST_SKEW:
        yield Finding(
            "chatsite.W035",
            f"This machine's clock and the {who}'s are {abs(apart):.0f} s apart.",
            "Let both follow a time server. Leases keep to the database's clock, tokens do not.",
        )


_Question = tuple[Callable[[], Iterator[Finding]], tuple[type[Exception], ...], str]
_QUESTIONS: tuple[_Question, ...] = (
    (_database, (DatabaseError, OSError), "chatsite.W032"),
    (_redis, (RedisError, OSError), "chatsite.W031"),
    (_disk, (), ""),
)
_lock = threading.Lock()
_last: tuple[float, tuple[Finding, ...]] | None = None


def _remember(found: tuple[Finding, ...]) -> None:
    global _last
    before = {one.id: one for one in _last[1]} if _last else {}
    now = {one.id: one for one in found}
    for name in now.keys() - before.keys():
        say = log.error if now[name].refuses else log.warning
        say("something is wrong", id=name, what=now[name].text, hint=now[name].hint)
    for name in before.keys() - now.keys():
        log.info("it is right again", id=name, what=before[name].text)
    _last = (time.monotonic(), found)
