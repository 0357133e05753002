"""What the database and Discord's stand-in hold at the end, read without the product's code."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.standins.discord import Discord

_MESSAGES = """SELECT id, session_id, seq, message_type, content, reply_to_id, client_key, status,
    degraded, error FROM chat_app_chatmessage ORDER BY session_id, seq"""
_EVENTS = "SELECT session_id, seq, kind, reference FROM sessions_app_sessionevent ORDER BY 1, 2"
_FROM_DISCORD = "SELECT message_id FROM notifications_receipt WHERE message_id <> ''"
_UNFINISHED = "SELECT count(*) FROM chat_app_chatmessage WHERE status IN ('queued', 'running')"
_DUE = "SELECT count(*) FROM notifications_delivery WHERE status = 'due'"
_FAILED = "SELECT count(*) FROM notifications_delivery WHERE status = 'failed'"
_FOOTER = re.compile(r"#(\d+)(?: · (\d+)/\d+)?")


@dataclass(frozen=True)
class Row:
    """One message."""

    id: str
    session: str
    seq: int
    kind: str
    content: str
    reply_to: str | None
    key: str | None
    status: str
    degraded: bool
    error: str


@dataclass(frozen=True)
class Told:
    """One event."""

    session: str
    seq: int
    kind: str
    reference: str


@dataclass
class Truth:
    """All of it. `threads`: for each conversation in Discord, the numbers of the events in it."""

    rows: list[Row] = field(default_factory=list)
    events: list[Told] = field(default_factory=list)
    from_discord: set[str] = field(default_factory=set)
    threads: dict[str, list[list[int]]] | None = None


@contextlib.contextmanager
def connection(url: str) -> Iterator[Any]:
    """A connection that ends its transaction after every statement."""
    if url.startswith("postgres"):
        with psycopg.connect(url, autocommit=True) as found:
            yield found
        return
    made = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
    try:
        yield made
    finally:
        made.close()


def read(url: str, discord: Discord | None) -> Truth:
    """Everything, as it is now."""
    with connection(url) as found:
        rows = [Row(*one) for one in found.execute(_MESSAGES).fetchall()]
        events = [Told(*one) for one in found.execute(_EVENTS).fetchall()]
        taken = {one[0] for one in found.execute(_FROM_DISCORD).fetchall()}
    return Truth(rows, events, taken, threads(discord) if discord else None)


def owed(url: str) -> dict[str, int]:
    """How much is not finished of answers and of deliveries to Discord; empty: nothing."""
    with connection(url) as found:
        asked = {"answers": _UNFINISHED, "deliveries": _DUE}
        owes = {what: int(found.execute(query).fetchone()[0]) for what, query in asked.items()}
    return {what: count for what, count in owes.items() if count}


def given_up(url: str) -> int:
    """Deliveries that will never arrive."""
    with connection(url) as found:
        return int(found.execute(_FAILED).fetchone()[0])


def threads(discord: Discord) -> dict[str, list[list[int]]]:
    """By the name of a thread, for each thread of that name, its messages' numbers in order."""
    found: dict[str, list[list[int]]] = {}
    for thread_id, thread in list(discord.threads.items()):
        numbers = [number for one in list(discord.messages[thread_id]) for number in _number(one)]
        found.setdefault(thread["name"], []).append(numbers)
    return found


def _number(message: dict[str, Any]) -> list[int]:
    """The event's number, once for a text that needed several messages."""
    footer = str((message.get("embeds") or [{}])[0].get("footer", {}).get("text", ""))
    parts = _FOOTER.fullmatch(footer)
    return [int(parts[1])] if parts and parts[2] in {None, "1"} else []
