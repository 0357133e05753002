"""What is owed: one delivery an event, written in the transaction of the event."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from chatsite.core import live, queue
from notifications.models import Delivery
from sessions_app import events
from sessions_app.models import EventKind, SessionEvent

_OPENING = (EventKind.OPENED,)


def listen() -> None:
    """Have every recorded event owed from now on."""
    events.recorded.connect(_owe, dispatch_uid="notifications")


def _owe(*, events: list[SessionEvent], **_: Any) -> None:
    if not settings.DISCORD_ENABLED:
        return
    wanted = EventKind if settings.DISCORD_NOTIFY_MESSAGES else _OPENING
    owed = [Delivery(event=event) for event in events if event.kind in list(wanted)]
    if owed:
        Delivery.objects.bulk_create(owed)
        live.ring(queue.DELIVER)
