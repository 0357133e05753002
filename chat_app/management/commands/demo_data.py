"""`manage.py demo_data --sessions N`: made-up conversations, for trying, measuring, pictures."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from chat_app import fulltext
from chat_app.console import sample
from chat_app.console.sample import Conversation
from sessions_app.models import AuditEntry, EventKind, SessionEvent

_BATCH = 2000
# Above this it is quicker to make the full-text index anew than to keep it.
_MANY = 5000


class Command(BaseCommand):
    """Writes them straight into the tables, past services and events' listeners."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--sessions", type=int, default=500, help="How many conversations.")
        parser.add_argument("--days", type=int, default=90, help="Days that they go back.")
        parser.add_argument("--seed", type=int, default=None, help="The same seed, the same texts.")

    def handle(self, *_: Any, **options: Any) -> None:
        """Write the conversations."""
        began = time.monotonic()
        seed = options["seed"] if options["seed"] is not None else time.time_ns()
        author = sample.Author(seed=seed, now=timezone.now(), days=options["days"])
        total = options["sessions"]
        rebuild = connection.vendor == "postgresql" and total >= _MANY
        if rebuild:
            # A crash would lose made-up conversations only: no commit waits for the disk.
            _execute("SET statement_timeout = 0", "SET synchronous_commit = off")
            _execute("DROP INDEX IF EXISTS message_words")
        conversations = author.write(total)
        while batch := list(itertools.islice(conversations, _BATCH)):
            with transaction.atomic():
                _store(batch)
        if rebuild:
            _execute("SET maintenance_work_mem = '1GB'")
            fulltext.install(connection)
        if connection.vendor == "postgresql":
            _execute("ANALYZE chat_app_chatmessage", "ANALYZE sessions_app_chatsession")
        took = time.monotonic() - began
        self.stdout.write(f"{total} conversations in {took:.1f} s (seed {seed}).")


def _store(batch: list[Conversation]) -> None:
    sessions = "sessions_app_chatsession"
    _insert(sessions, sample.SESSION_COLUMNS, (one.session for one in batch))
    _insert(
        "sessions_app_sessioncontact",
        ("session_id", "email"),
        ((one.session[0], one.email) for one in batch),
    )
    _insert(
        "chat_app_chatmessage",
        sample.MESSAGE_COLUMNS,
        itertools.chain.from_iterable(one.messages for one in batch),
    )
    _insert(
        "sessions_app_sessionevent",
        ("session_id", "seq", "kind", "reference", "created_at"),
        ((one.session[0], 1, "opened", "", one.session[4]) for one in batch),
    )
    _store_acts(batch)


def _store_acts(batch: list[Conversation]) -> None:
    told = [(one.session[0], *act) for one in batch for act in one.acts]
    entries = AuditEntry.objects.bulk_create(
        AuditEntry(source="admin", actor_name="maren", act=act, session_id=session, created_at=when)
        for session, _, act, when in told
    )
    SessionEvent.objects.bulk_create(
        SessionEvent(
            session_id=session,
            seq=seq,
            kind=EventKind.STATUS,
            reference=f"audit:{entry.pk}",
            created_at=when,
        )
        for (session, seq, _, when), entry in zip(told, entries, strict=True)
    )


def _insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
            cursor.executemany(statement, [_adapted(row) for row in rows])


def _adapted(row: Sequence[Any]) -> list[Any]:
    """Moments as Django stores them in SQLite."""
    return [str(one.replace(tzinfo=None)) if hasattr(one, "tzinfo") else one for one in row]


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
