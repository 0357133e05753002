"""Writing the log of events, in the transaction of what it tells."""

from __future__ import annotations

from collections.abc import Iterable

from django.dispatch import Signal

from chatsite.core import live
from sessions_app.models import SessionEvent

# Sent inside the transaction with `events`: later rooms write what they owe to them beside them.
recorded = Signal()


def record(events: Iterable[SessionEvent]) -> list[SessionEvent]:
    """Store the events and announce them on commit. Call inside the transaction they tell of."""
    stored = SessionEvent.objects.bulk_create(events)
    recorded.send(sender=SessionEvent, events=stored)
    for event in stored:
        live.announce(live.Announcement(event.session_id, event.seq, event.kind, event.reference))
    return stored
