"""Writing the log of events, in the transaction of what it tells."""

from __future__ import annotations

from collections.abc import Iterable

from django.dispatch import Signal

from chatsite.core import live, statements
from sessions_app.models import ChatSession, EventKind, SessionEvent

# Sent inside the transaction with `events`: later rooms write what they owe to them beside them.
recorded = Signal()


def record(events: Iterable[SessionEvent]) -> list[SessionEvent]:
    """Store the events and announce them on commit. Call inside the transaction they tell of."""
    stored = list(events)
    statements.insert(stored)
    tell(stored)
    return stored


def tell(stored: list[SessionEvent]) -> None:
    """Announce, on commit, events that this transaction has stored."""
    recorded.send(sender=SessionEvent, events=stored)
    for event in stored:
        live.announce(live.Announcement(event.session_id, event.seq, event.kind, event.reference))


def record_next(*, session_id: str, kind: EventKind, reference: str = "") -> SessionEvent:
    """Record an event under the number that an UPDATE of this transaction has just taken."""
    seq = ChatSession.objects.values_list("last_seq", flat=True).get(pk=session_id)
    return record([SessionEvent(session_id=session_id, seq=seq, kind=kind, reference=reference)])[0]
