"""Reading sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.utils import timezone

from sessions_app.models import ChatSession


def find(session_id: str) -> ChatSession | None:
    """The session with this id."""
    return ChatSession.objects.filter(pk=session_id).first()


def has_expired(session: ChatSession) -> bool:
    """Whether its time is over."""
    return session.expires_at <= timezone.now()


def still_open(ids: Collection[str]) -> dict[str, int]:
    """Of these sessions, the open ones, with the number of their last event."""
    found = ChatSession.objects.filter(pk__in=ids, is_active=True, expires_at__gt=timezone.now())
    return dict(found.values_list("pk", "last_seq"))


@sync_to_async
def poll(ids: Collection[str]) -> Mapping[str, int]:
    """still_open for the hub, whose thread has no requests to tidy its connection for it."""
    close_old_connections()
    try:
        return still_open(ids)
    finally:
        close_old_connections()
