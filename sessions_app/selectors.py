"""Reading sessions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Q
from django.utils import timezone

from chatsite.core import hops, statements
from chatsite.core.statements import Rows, Slot
from sessions_app.models import ChatSession


def find(session_id: str) -> ChatSession | None:
    """The session with this id."""
    return next(iter(_finding().find(session=session_id)), None)


@statements.once
def _finding() -> Rows[ChatSession]:
    return statements.select(ChatSession.objects.filter(pk=Slot("session", CharField())))


def has_expired(session: ChatSession) -> bool:
    """Whether its time is over, or nobody has said anything for SESSION_IDLE_HOURS."""
    now = timezone.now()
    since = silent_since(now)
    is_idle = since is not None and session.last_activity <= since
    return is_idle or session.expires_at <= now


def is_open(now: datetime) -> Q:
    """Sessions that may be used now."""
    return outlasts(now, silent_since(now))


def outlasts(now: Any, silent_since: Any) -> Q:
    """Sessions that are open at `now`, and in which something was said after `silent_since`."""
    found = Q(is_active=True, expires_at__gt=now)
    return found & Q(last_activity__gt=silent_since) if silent_since else found


def still_open(ids: Collection[str]) -> dict[str, int]:
    """Of these sessions, the open ones, with the number of their last event."""
    found = ChatSession.objects.filter(is_open(timezone.now()), pk__in=ids)
    return dict(found.values_list("pk", "last_seq"))


def silent_since(now: datetime) -> datetime | None:
    """Whoever has been silent since then is gone; None where silence ends no session."""
    hours = settings.SESSION_IDLE_HOURS
    return now - timedelta(hours=hours) if hours else None


poll = hops.beside(still_open)
