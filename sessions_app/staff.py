"""What staff may do with a session: who answers it, its end and return, its personal data.

Discord's bot and the admin are two interfaces of these rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chatsite.core.errors import Problem
from sessions_app import audit, blocks, events
from sessions_app.audit import Actor
from sessions_app.models import Act, ChatSession, EventKind, Responder, SessionContact

# What `closed_by` begins with where staff ended a session as settled: its visitor may come back.
SETTLED: Final = "staff:"


class ConversationClosed(Problem):
    code, status, title = "session_closed", 409, "This conversation is closed"


class CannotReopen(Problem):
    code, status, title = "cannot_reopen", 409, "This conversation cannot be opened again"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What is hidden until somebody asks for it by name."""

    email: str
    address: str


@transaction.atomic
def set_responder(*, session_id: str, responder: Responder, actor: Actor) -> bool:
    """Have the AI or a person answer from now on; False where that was so.

    Raises ConversationClosed. Locks the session until the transaction ends.
    """
    open_session = ChatSession.objects.filter(pk=session_id, is_active=True)
    changed = open_session.exclude(responder=responder).update(
        responder=responder, last_seq=F("last_seq") + 1
    )
    if changed:
        act = Act.TAKE_OVER if responder == Responder.HUMAN else Act.HAND_BACK
        _tell(session_id, actor, act)
    elif not open_session.exists():
        raise ConversationClosed
    return bool(changed)


@transaction.atomic
def close(*, session_id: str, actor: Actor, detail: str = "") -> bool:
    """End the session as settled; its streams close. False if it was ended."""
    closed = ChatSession.objects.filter(pk=session_id, is_active=True).update(
        is_active=False,
        closed_at=timezone.now(),
        closed_by=f"{SETTLED}{actor.name}"[:64],
        last_seq=F("last_seq") + 1,
    )
    if closed:
        _tell(session_id, actor, Act.CLOSE, detail)
    return bool(closed)


@transaction.atomic
def reopen(*, session_id: str, actor: Actor) -> bool:
    """Open an ended session again, answered by the AI; False where it is open.

    Raises CannotReopen where its time is over, or its visitor is blocked or has ended it.
    """
    now = timezone.now()
    ended = ChatSession.objects.filter(
        pk=session_id, is_active=False, expires_at__gt=now, closed_by__startswith=SETTLED
    )
    opened = ended.update(
        is_active=True,
        closed_at=None,
        closed_by="",
        responder=Responder.AI,
        last_activity=now,
        last_seq=F("last_seq") + 1,
    )
    session = ChatSession.objects.get(pk=session_id)
    if not opened and not session.is_active:
        raise CannotReopen(_why_ended(session))
    blocks.refuse(email_hash=session.email_hash, address=session.ip_address)
    if opened:
        _tell(session_id, actor, Act.REOPEN)
    return bool(opened)


@transaction.atomic
def reveal(*, session_id: str, actor: Actor) -> PersonalData:
    """The e-mail address as typed and the IP address; that they were seen is recorded."""
    session = ChatSession.objects.get(pk=session_id)
    contact = SessionContact.objects.filter(pk=session_id).first()
    audit.record(actor=actor, act=Act.REVEAL, session_id=session_id)
    return PersonalData(contact.email if contact else "", session.ip_address)


def _why_ended(session: ChatSession) -> str:
    if session.expires_at <= timezone.now():
        return "Its time is over; the visitor has to sign in again."
    return f"It was ended by {session.closed_by.partition(':')[0] or 'its visitor'}."


def _tell(session_id: str, actor: Actor, act: Act, detail: str = "") -> None:
    entry = audit.record(actor=actor, act=act, session_id=session_id, detail=detail)
    events.record_next(
        session_id=session_id, kind=EventKind.STATUS, reference=audit.reference(entry)
    )
