"""Who may not open a conversation: blocks by e-mail hash and address, each with its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from chatsite.core import client
from chatsite.core.errors import Forbidden
from sessions_app import audit, events
from sessions_app.audit import Actor
from sessions_app.models import Act, Block, ChatSession, EventKind

# What `closed_by` says of a session that a block ended.
BLOCKED: Final = "block"
LONGEST: Final = timedelta(days=3650)


class Blocked(Forbidden):
    code, title = "blocked", "No conversation can be opened from here for now"


@transaction.atomic
def block(*, session_id: str, duration: timedelta, reason: str, actor: Actor) -> Block:
    """End the session and every other one of its e-mail address, and refuse new ones until then.

    An address that is not known is not blocked: it stands for everybody's.
    """
    session = ChatSession.objects.get(pk=session_id)
    made = Block.objects.create(
        session=session,
        email_hash=session.email_hash,
        network=_network(session.ip_address),
        reason=reason[:300],
        created_by=actor.name[:100],
        expires_at=timezone.now() + min(duration, LONGEST),
    )
    detail = f"until {made.expires_at:%Y-%m-%d %H:%M} UTC: {reason}"
    entry = audit.record(actor=actor, act=Act.BLOCK, session_id=session_id, detail=detail)
    ended = ChatSession.objects.filter(email_hash=session.email_hash, is_active=True)
    ids = {session_id, *ended.values_list("pk", flat=True)}
    for one in sorted(ids):  # in one order: two blocks at once cannot deadlock
        _end(one, audit.reference(entry))
    return made


@transaction.atomic
def unblock(*, session_id: str, actor: Actor) -> int:
    """Lift every block that keeps the session's visitor out; how many there were."""
    session = ChatSession.objects.get(pk=session_id)
    found = standing(session.email_hash, session.ip_address)
    lifted = found.update(lifted_at=timezone.now())
    if lifted:
        entry = audit.record(actor=actor, act=Act.UNBLOCK, session_id=session_id)
        ChatSession.objects.filter(pk=session_id).update(last_seq=F("last_seq") + 1)
        events.record_next(
            session_id=session_id, kind=EventKind.STATUS, reference=audit.reference(entry)
        )
    return lifted


def refuse(*, email_hash: str, address: str) -> None:
    """Raise Blocked where one of the two is blocked now."""
    if standing(email_hash, address).exists():
        raise Blocked


def standing(email_hash: str, address: str) -> QuerySet[Block]:
    """The blocks that keep one of the two out now."""
    who = Q(email_hash=email_hash)
    if network := _network(address):
        who |= Q(network=network)
    return Block.objects.filter(who, expires_at__gt=timezone.now(), lifted_at=None)


def _network(address: str) -> str:
    return "" if address == client.UNKNOWN_ADDRESS else client.network(address)


def _end(session_id: str, reference: str) -> None:
    ended = ChatSession.objects.filter(pk=session_id).update(
        is_active=False, closed_at=timezone.now(), closed_by=BLOCKED, last_seq=F("last_seq") + 1
    )
    if ended:
        events.record_next(session_id=session_id, kind=EventKind.STATUS, reference=reference)
