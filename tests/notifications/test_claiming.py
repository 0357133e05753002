"""Which deliveries a mirror takes: one of a conversation, the longest due first."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import leases
from notifications.models import Delivery
from sessions_app.models import ChatSession, EventKind, SessionEvent
from tests.support import open_session

pytestmark = pytest.mark.django_db
EVENTS = 6


def _owe(number: int) -> ChatSession:
    """A conversation that is owed some events, each a second after the other."""
    session = open_session(f"claim{number}@example.com")
    SessionEvent.objects.filter(session=session).delete()
    since = timezone.now() - timedelta(minutes=10)
    events = SessionEvent.objects.bulk_create(
        SessionEvent(session=session, seq=seq, kind=EventKind.MESSAGE, reference="x")
        for seq in range(1, EVENTS + 1)
    )
    Delivery.objects.bulk_create(
        Delivery(event=event, due_at=since + timedelta(seconds=event.seq, milliseconds=number))
        for event in events
    )
    return session


def _just_now() -> datetime:
    """Due by any clock: SQLite's knows no more than milliseconds."""
    return timezone.now() - timedelta(seconds=1)


def _claimed(most: int) -> list[tuple[str, int]]:
    found = [(one.event.session_id, one.event.seq) for one in leases.claim(most=most)]
    return sorted(found, key=lambda one: (one[1], one[0]))


def _hold_up(session: ChatSession) -> None:
    """Its first delivery was tried, and waits."""
    first = Delivery.objects.get(event__session=session, event__seq=1)
    Delivery.objects.filter(pk=first.pk).update(
        attempts=2, due_at=timezone.now() + timedelta(hours=1)
    )


def test_takes_the_first_of_each_conversation_and_no_second() -> None:
    sessions = [_owe(number) for number in range(3)]

    assert _claimed(2) == sorted((one.pk, 1) for one in sessions[:2])
    assert _claimed(8) == [(sessions[2].pk, 1)]
    assert _claimed(8) == []


def test_goes_past_conversations_whose_first_delivery_waits(monkeypatch) -> None:
    # So many follow what waits that no look at the first of them reaches the others.
    monkeypatch.setattr(leases, "_FRONT", EVENTS)
    waiting = [_owe(number) for number in range(4)]
    for one in waiting:
        _hold_up(one)
    free = _owe(9)
    Delivery.objects.filter(event__session=free).update(due_at=_just_now())

    with CaptureQueriesContext(connection) as asked:
        assert _claimed(8) == [(free.pk, 1)]
    looked = [one["sql"] for one in asked if "EXISTS" in one["sql"] and "SELECT" in one["sql"][:9]]
    assert len(looked) == 1, "only the few in front are looked at closely"
    Delivery.objects.filter(event__session=waiting[0], event__seq=1).update(due_at=_just_now())
    assert _claimed(8) == [(waiting[0].pk, 1)]


def test_takes_a_first_delivery_that_is_due_later_than_what_follows_it(monkeypatch) -> None:
    monkeypatch.setattr(leases, "_FRONT", 2)
    session = _owe(1)
    Delivery.objects.filter(event__session=session, event__seq=1).update(due_at=_just_now())

    assert _claimed(8) == [(session.pk, 1)]


def test_takes_over_a_lease_that_ran_out() -> None:
    session = _owe(1)
    assert _claimed(8) == [(session.pk, 1)]
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert _claimed(8) == [(session.pk, 1)]
