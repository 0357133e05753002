"""What is owed to Discord: one delivery an event, written in the transaction of the event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from chatsite.core import live, queue
from notifications.models import Delivery
from sessions_app import events
from sessions_app.models import EventKind, SessionEvent

_WORDS = frozenset({EventKind.MESSAGE, EventKind.ANSWER})


def listen() -> None:
    """Have every recorded event owed from now on."""
    events.recorded.connect(_owe, dispatch_uid="notifications")


def _owe(*, events: list[SessionEvent], **_: Any) -> None:
    if not settings.DISCORD_ENABLED:
        return
    # Signing in is not worth a thread: the opening is owed with the first word.
    told = [event for event in events if event.kind != EventKind.OPENED]
    if not told:
        return
    owed = _openings({event.session_id for event in told if event.kind in _WORDS})
    opening = {delivery.event.session_id for delivery in owed}
    mirrored = opening | _with_opening({event.session_id for event in told} - opening)
    owed += [_due(event) for event in told if event.session_id in mirrored and _is_wanted(event)]
    if owed:
        Delivery.objects.bulk_create(owed)
        live.ring(queue.DELIVER)


def _due(event: SessionEvent) -> Delivery:
    # By the database's clock, as it is claimed: a web process that is ahead would delay it.
    return Delivery(event=event, session_id=event.session_id, seq=event.seq, due_at=Now())


def _is_wanted(event: SessionEvent) -> bool:
    # The card shows the state, so that is kept even where words are not mirrored.
    return settings.DISCORD_NOTIFY_MESSAGES or event.kind == EventKind.STATUS


def _openings(sessions: Collection[str]) -> list[Delivery]:
    unowed = SessionEvent.objects.filter(
        session_id__in=sessions, kind=EventKind.OPENED, delivery=None
    )
    return [_due(event) for event in unowed] if sessions else []


def _with_opening(sessions: Collection[str]) -> set[str]:
    """Those of the sessions that are mirrored already."""
    if not sessions:
        return set()
    opened = Delivery.objects.filter(event__session__in=sessions, event__kind=EventKind.OPENED)
    return set(opened.values_list("event__session_id", flat=True))
