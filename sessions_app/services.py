"""The rules of sessions: opening, ending, expiry."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chatsite.core import client
from sessions_app import blocks, codes, crowding, events, identity, opening, selectors
from sessions_app.models import ChatSession, EventKind, SessionEvent

_EXPIRY_BATCH = 500


@transaction.atomic
def open_session(
    *, email: str, address: str, user_agent: str, is_proven: bool = False
) -> ChatSession:
    """A new session for the address as typed; `is_proven`: its visitor can read mail sent there.

    Raises ValueError where it is no e-mail address, Blocked where staff keep its visitor out,
    TooManySessions where the network has all it may have.
    Unproven the address identifies, it does not authenticate; either way it opens nothing old.
    """
    email_hash = identity.email_hash(identity.normalise_email(email))
    session = ChatSession(
        email_hash=email_hash,
        browser_hash=identity.browser_hash(user_agent),
        ip_address=address,
        network=client.network(address),
        expires_at=timezone.now() + timedelta(hours=settings.JWT_EXPIRE_HOURS),
        email_verified_at=timezone.now() if is_proven else None,
        last_seq=1,
    )
    event = _store(session, email=email.strip(), most=crowding.most_at_once())
    if event is None:
        blocks.refuse(email_hash=email_hash, address=address)
        crowding.wait_for_others(session.network)
        event = _store(session, email=email.strip(), most=crowding.most())
    if event is None:
        raise crowding.TooManySessions
    events.tell([event])
    return session


def _store(session: ChatSession, *, email: str, most: int | None) -> SessionEvent | None:
    unless = opening.Unless(
        blocks=blocks.standing(session.email_hash, session.ip_address),
        crowd=crowding.crowd(session.network),
        most=most,
    )
    return opening.store(session, email=email, unless=unless)


def ask_for_code(*, email: str, address: str) -> None:
    """Have a code sent to the address, known or not; raises Blocked where the caller's network is.

    Whether the e-mail address is blocked is told to whoever has proven it, not to others.
    """
    blocks.refuse(email_hash="", address=address)
    codes.request(email=email)


def open_proven(*, email: str, code: str, address: str, user_agent: str) -> ChatSession:
    """A new session whose address is proven by the code that was sent to it.

    Raises WrongCode, and what open_session raises: then the code may be used again.
    """
    found = codes.try_out(email=email, code=code)
    with transaction.atomic():
        codes.use(found)
        return open_session(email=email, address=address, user_agent=user_agent, is_proven=True)


@transaction.atomic
def close_session(*, session_id: str, closed_by: str) -> bool:
    """End the session at once; its token is dead and its streams close. False if it was ended."""
    closed = ChatSession.objects.filter(pk=session_id, is_active=True).update(
        is_active=False, closed_at=timezone.now(), closed_by=closed_by, last_seq=F("last_seq") + 1
    )
    if closed:
        events.record_next(session_id=session_id, kind=EventKind.STATUS)
    return bool(closed)


def expire_sessions() -> int:
    """End the sessions whose time is over or that fell silent, a batch at most; how many."""
    due = ChatSession.objects.filter(~selectors.is_open(timezone.now()), is_active=True)
    ids = list(due.order_by("expires_at").values_list("pk", flat=True)[:_EXPIRY_BATCH])
    return sum(close_session(session_id=session_id, closed_by="expiry") for session_id in ids)
