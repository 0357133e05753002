"""Reading sessions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from chatsite.core import hops
from sessions_app.models import ChatSession


def find(session_id: str) -> ChatSession | None:
    """The session with this id."""
    # Not first(): to order one row costs a third of what it takes to ask for it.
    return next(iter(ChatSession.objects.filter(pk=session_id)), None)


def has_expired(session: ChatSession) -> bool:
    """Whether its time is over, or nobody has said anything for SESSION_IDLE_HOURS."""
    now = timezone.now()
    silent_since = _silent_since(now)
    is_idle = silent_since is not None and session.last_activity <= silent_since
    return is_idle or session.expires_at <= now


def is_open(now: datetime) -> Q:
    """Sessions that may be used now."""
    found = Q(is_active=True, expires_at__gt=now)
    silent_since = _silent_since(now)
    return found & Q(last_activity__gt=silent_since) if silent_since else found


def still_open(ids: Collection[str]) -> dict[str, int]:
    """Of these sessions, the open ones, with the number of their last event."""
    found = ChatSession.objects.filter(is_open(timezone.now()), pk__in=ids)
    return dict(found.values_list("pk", "last_seq"))


def _silent_since(now: datetime) -> datetime | None:
    hours = settings.SESSION_IDLE_HOURS
    return now - timedelta(hours=hours) if hours else None


poll = hops.beside(still_open)
