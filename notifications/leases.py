"""Whose a delivery is while it is sent: claimed, kept alive and ended by conditional UPDATEs.

All times are the database's, as in chat_app/leases.py."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from chatsite.core import metrics
from notifications import turns
from notifications.models import Delivery, DeliveryStatus, DiscordThread
from sessions_app.models import SessionEvent

# Marks a delivery that waits because Discord was away: it is hurried once Discord is back.
AWAY = "discord is away: "
_COMPLETED_AT_ONCE = 10_000
# What sending a delivery takes (jobs.py), in the query that there is anyway.
_NEEDED = ("event__session__discord_thread",)


def claim(*, most: int, after: str = "") -> list[Delivery]:
    """Up to `most` deliveries that are due, of a conversation its first unsent one at most.

    The conversations have their turns in the order of their ids, from the one behind `after` on; so
    are the deliveries.
    """
    return _claim(most, after) or (_claim(most, after) if complete() else [])


def complete() -> int:
    """Give what code before these columns has owed its conversation and its number; how many."""
    if not _nameless().exists():  # an UPDATE of nothing waits for SQLite's lock all the same
        return 0
    event = SessionEvent.objects.filter(pk=OuterRef("pk"))
    some = _nameless().order_by("pk").values("pk")[:_COMPLETED_AT_ONCE]
    return (
        _nameless()
        .filter(pk__in=some)
        .update(session_id=Subquery(event.values("session_id")), seq=Subquery(event.values("seq")))
    )


def keep(deliveries: Collection[Delivery]) -> set[int]:
    """Lengthen the leases; which of the deliveries are still held."""
    tokens = {one.lease_token for one in deliveries}
    # By number: to find tokens among all that is due took longer the more was.
    held = Delivery.objects.filter(
        pk__in=[one.pk for one in deliveries], lease_token__in=tokens, status=DeliveryStatus.DUE
    )
    held.update(lease_until=_lease_end())
    return set(held.values_list("pk", flat=True))


def note_posted(delivery: Delivery, message_ids: Sequence[str]) -> bool:
    """Store what Discord has of the event so far; False where the lease was lost."""
    return bool(_held(delivery).update(**_ids(message_ids)))


def end(delivery: Delivery, message_ids: Sequence[str]) -> bool:
    """The event is in Discord."""
    return _end(delivery, status=DeliveryStatus.SENT, error="", **_ids(message_ids))


def fail(delivery: Delivery, error: str) -> bool:
    """The event can never be sent; what follows it goes on."""
    return _end(delivery, status=DeliveryStatus.FAILED, error=error[:200])


def wait(delivery: Delivery, *, seconds: float, error: str) -> bool:
    """Try again after so long; what follows in the conversation waits too."""
    return _end(delivery, due_at=Now() + timedelta(seconds=seconds), error=error[:200])


def give_back(deliveries: Collection[Delivery]) -> None:
    """Let others take what was begun: the attempt stays counted, since a post may have arrived."""
    for delivery in deliveries:
        _end(delivery)


def hurry() -> int:
    """Discord is back: have what waited for it sent now."""
    waiting = Delivery.objects.filter(
        status=DeliveryStatus.DUE, due_at__gt=Now(), error__startswith=AWAY
    )
    return waiting.update(due_at=Now())


def look_first() -> int:
    """Have what is owed looked for before it is posted, as after a failed try; how many."""
    owed = Delivery.objects.filter(status=DeliveryStatus.DUE)
    owed.filter(attempts=0).update(attempts=1)
    return owed.count()


@transaction.atomic
def start_over(session_id: str, *, seconds: float = 0.0) -> None:
    """The conversation's thread is gone: owe all that it held to a new one, after so long."""
    DiscordThread.objects.filter(session_id=session_id).delete()
    held = Delivery.objects.filter(event__session_id=session_id).exclude(
        status=DeliveryStatus.FAILED
    )
    held.update(
        status=DeliveryStatus.DUE,
        generation=F("generation") + 1,
        attempts=0,
        due_at=Now() + timedelta(seconds=seconds),
        error="",
        discord_message_id="",
        message_ids=[],
        lease_token="",
        lease_until=None,
    )


def _ids(message_ids: Sequence[str]) -> dict[str, Any]:
    first = message_ids[0] if message_ids else ""
    return {"discord_message_id": first, "message_ids": list(message_ids)}


def _end(delivery: Delivery, **changes: Any) -> bool:
    return bool(_held(delivery).update(lease_token="", lease_until=None, **changes))


def _held(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.DUE, lease_token=delivery.lease_token
    )


def _claim(most: int, after: str) -> list[Delivery]:
    due = turns.upcoming(most, after=after)
    if not due:
        return []
    token = secrets.token_urlsafe(16)
    # Another worker may have been first with some of them: the condition stands in the UPDATE too.
    claimed = (
        _claimable()
        .filter(pk__in=due)
        .update(lease_token=token, lease_until=_lease_end(), attempts=F("attempts") + 1)
    )
    if not claimed:
        return []
    mine = Delivery.objects.filter(lease_token=token, status=DeliveryStatus.DUE, pk__in=due)
    deliveries = {one.pk: one for one in mine.select_related(*_NEEDED)}
    # A lease that still has a name was not ended: whoever held it fell silent.
    metrics.LEASES_LOST.labels("delivery").inc(sum(bool(due[pk]) for pk in deliveries))
    return [deliveries[pk] for pk in due if pk in deliveries]


def _claimable() -> QuerySet[Delivery]:
    # In SQL's words: nothing earlier of the same conversation is still owed. A delivery in flight
    # is still owed, so at most one of a thread is. What is nameless may be earlier than anything.
    earlier = Delivery.objects.filter(
        session_id=OuterRef("session_id"), seq__lt=OuterRef("seq"), status=DeliveryStatus.DUE
    )
    return Delivery.objects.filter(
        ~Exists(earlier),
        ~Exists(_nameless()),
        Q(lease_until=None) | Q(lease_until__lt=Now()),
        status=DeliveryStatus.DUE,
        due_at__lte=Now(),
    )


def _nameless() -> QuerySet[Delivery]:
    return Delivery.objects.filter(status=DeliveryStatus.DUE, session_id="")


def _lease_end() -> F:
    return Now() + timedelta(seconds=settings.DISCORD_LEASE_SECONDS)  # type: ignore[return-value]
