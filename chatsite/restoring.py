"""What a database must be told that went back in time: what the world has seen meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from chat_app.models import ChatMessage
from notifications import leases as mirror_leases
from sessions_app import numbers
from sessions_app.models import ChatSession


@dataclass(frozen=True, slots=True)
class Contents:
    """How much a database holds."""

    sessions: int
    messages: int

    def __str__(self) -> str:
        return f"{self.sessions} sessions, {self.messages} messages"


def contents() -> Contents:
    """What the database holds now."""
    return Contents(ChatSession.objects.count(), ChatMessage.objects.count())


@transaction.atomic
def reconcile() -> int:
    """After a restore: use no number again, post nothing again; how many deliveries are checked.

    What happened after the backup is lost here, but readers and Discord may have seen it.
    """
    numbers.leave_out()
    return mirror_leases.look_first()
