"""`manage.py demo_data --sessions N`: made-up conversations, for trying, measuring, pictures."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from chat_app.console import bulk, days, sample
from chat_app.console.sample import Conversation
from sessions_app.models import AuditEntry, EventKind, SessionEvent

_BATCH: Final = 2000
# Above this it is quicker to make the indexes anew than to keep them.
_MANY: Final = 5000
_SESSIONS: Final = "sessions_app_chatsession"
_EVENTS: Final = "sessions_app_sessionevent"
_MESSAGES: Final = "chat_app_chatmessage"


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
        began, now = time.monotonic(), timezone.now()
        seed = options["seed"] if options["seed"] is not None else time.time_ns()
        author = sample.Author(seed=seed, now=now, days=options["days"])
        _write(author.write(options["sessions"]), are_many=options["sessions"] >= _MANY)
        # What was counted of these days is no longer true.
        days.recount(since=now.date() - timedelta(days=options["days"]))
        took = time.monotonic() - began
        self.stdout.write(f"{options['sessions']} conversations in {took:.1f} s (seed {seed}).")


def _write(conversations: Iterable[Conversation], *, are_many: bool) -> None:
    is_bulk = are_many and connection.vendor == "postgresql"
    with bulk.without_indexes(_MESSAGES, _EVENTS) if is_bulk else contextlib.nullcontext():
        remaining = iter(conversations)
        while batch := list(itertools.islice(remaining, _BATCH)):
            with transaction.atomic():
                _store(batch)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {_MESSAGES}, {_SESSIONS}, {_EVENTS}")


def _store(batch: list[Conversation]) -> None:
    bulk.insert(_SESSIONS, sample.SESSION_COLUMNS, (one.session for one in batch))
    contacts = ((one.session[0], one.email) for one in batch)
    bulk.insert("sessions_app_sessioncontact", ("session_id", "email"), contacts)
    messages = itertools.chain.from_iterable(one.messages for one in batch)
    bulk.insert(_MESSAGES, sample.MESSAGE_COLUMNS, messages)
    events = itertools.chain.from_iterable(one.events for one in batch)
    bulk.insert(_EVENTS, sample.EVENT_COLUMNS, events)
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
