"""Erasing a conversation, with everything that hangs on it."""

from __future__ import annotations

from django.db import transaction

from sessions_app import audit
from sessions_app.audit import Actor
from sessions_app.models import Act, ChatSession


@transaction.atomic
def erase(*, session_id: str, actor: Actor) -> bool:
    """Delete the conversation: messages, address, events, deliveries. False where it is gone.

    Its token is dead at once and its streams close. What stays is that it was erased, by whom.
    Threads in Discord are not touched.
    """
    found = ChatSession.objects.select_for_update().filter(pk=session_id).first()
    if found is None:
        return False
    found.delete()
    audit.record(actor=actor, act=Act.ERASE, session_id=None, detail=f"conversation {session_id}")
    return True
