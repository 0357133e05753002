"""What is owed to Discord: one delivery an event, written in the transaction of the event."""

from __future__ import annotations

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
    owed = _opening(told)
    is_mirrored = bool(owed) or _has_opening(told[0].session_id)
    owed += [_due(event) for event in told if is_mirrored and _is_wanted(event)]
    if owed:
        Delivery.objects.bulk_create(owed)
        live.ring(queue.DELIVER)


def _due(event: SessionEvent) -> Delivery:
    # By the database's clock, as it is claimed: a web process that is ahead would delay it.
    return Delivery(event=event, due_at=Now())


def _is_wanted(event: SessionEvent) -> bool:
    # The card shows the state, so that is kept even where words are not mirrored.
    return settings.DISCORD_NOTIFY_MESSAGES or event.kind == EventKind.STATUS


def _opening(told: list[SessionEvent]) -> list[Delivery]:
    if not any(event.kind in _WORDS for event in told):
        return []
    unowed = SessionEvent.objects.filter(
        session_id=told[0].session_id, kind=EventKind.OPENED, delivery=None
    )
    return [_due(event) for event in unowed]


def _has_opening(session_id: str) -> bool:
    return Delivery.objects.filter(
        event__session_id=session_id, event__kind=EventKind.OPENED
    ).exists()
