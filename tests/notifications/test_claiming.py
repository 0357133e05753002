"""Which deliveries a mirror takes: the first of each conversation, the conversations in turn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import jobs, leases
from notifications.models import Delivery, DeliveryStatus
from sessions_app.models import ChatSession, EventKind, SessionEvent
from tests.support import open_session

pytestmark = pytest.mark.django_db
EVENTS = 6


def _conversations(count: int, *, events: int = EVENTS) -> list[ChatSession]:
    """In the order of their turns, each owed some events."""
    for number in range(count):
        _owe(open_session(f"claim{number}@example.com"), events)
    return list(ChatSession.objects.order_by("pk"))


def _owe(session: ChatSession, events: int) -> None:
    SessionEvent.objects.filter(session=session).delete()
    stored = SessionEvent.objects.bulk_create(
        SessionEvent(session=session, seq=seq, kind=EventKind.MESSAGE, reference="x")
        for seq in range(1, events + 1)
    )
    since = timezone.now() - timedelta(minutes=10)
    Delivery.objects.bulk_create(
        Delivery(
            event=event,
            session_id=session.pk,
            seq=event.seq,
            due_at=since + timedelta(seconds=event.seq),
        )
        for event in stored
    )


def _just_now() -> datetime:
    """Due by any clock: SQLite's knows no more than milliseconds."""
    return timezone.now() - timedelta(seconds=1)


def _claimed(most: int, *, after: str = "") -> list[tuple[str, int]]:
    found = leases.claim(most=most, after=after)
    return [(one.event.session_id, one.event.seq) for one in found]


def _of(session: ChatSession, seq: int) -> Delivery:
    return Delivery.objects.get(event__session=session, event__seq=seq)


def _hold_up(session: ChatSession) -> None:
    """Its first delivery was tried, and waits."""
    Delivery.objects.filter(pk=_of(session, 1).pk).update(
        attempts=2, due_at=timezone.now() + timedelta(hours=1)
    )


def test_takes_the_first_of_each_conversation_and_no_second() -> None:
    sessions = _conversations(3)

    assert _claimed(2) == [(one.pk, 1) for one in sessions[:2]]
    assert _claimed(8) == [(sessions[2].pk, 1)]
    assert _claimed(8) == []


def test_goes_on_behind_the_last_conversation_and_around() -> None:
    sessions = _conversations(4)

    assert _claimed(1, after=sessions[1].pk) == [(sessions[2].pk, 1)]
    assert _claimed(2, after=sessions[2].pk) == [(sessions[3].pk, 1), (sessions[0].pk, 1)]


def test_goes_past_conversations_whose_first_delivery_waits() -> None:
    *waiting, free = _conversations(5)
    for one in waiting:
        _hold_up(one)

    assert _claimed(8) == [(free.pk, 1)]
    Delivery.objects.filter(pk=_of(waiting[0], 1).pk).update(due_at=_just_now())
    assert _claimed(8) == [(waiting[0].pk, 1)]


def test_takes_a_first_delivery_that_is_due_later_than_what_follows_it() -> None:
    [session] = _conversations(1)
    Delivery.objects.filter(pk=_of(session, 1).pk).update(due_at=_just_now())

    assert _claimed(8) == [(session.pk, 1)]


def test_takes_over_a_lease_that_ran_out() -> None:
    [session] = _conversations(1)
    assert _claimed(8) == [(session.pk, 1)]
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert _claimed(8) == [(session.pk, 1)]


@pytest.mark.parametrize("of_old_code", [[1], [2, 5], [*range(1, EVENTS + 1)]])
def test_keeps_the_order_where_old_code_has_owed_some_of_it(of_old_code: list[int]) -> None:
    """Beside this code runs, while it is rolled out, code that knows no such columns."""
    sessions = _conversations(2)
    Delivery.objects.filter(event__seq__in=of_old_code).update(session_id="", seq=0)

    for seq in range(1, EVENTS + 1):
        assert _claimed(8) == [(one.pk, seq) for one in sessions]
        Delivery.objects.exclude(lease_token="").update(status=DeliveryStatus.SENT, lease_token="")
    assert _claimed(8) == []


def test_takes_nothing_while_something_may_be_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    _conversations(1)
    Delivery.objects.filter(event__seq=1).update(session_id="", seq=0)
    # Old code owes it between the look at what is nameless and the claim.
    monkeypatch.setattr(leases, "complete", lambda: 0)

    assert _claimed(8) == []


def test_a_claim_that_finds_nothing_writes_nothing() -> None:
    """It comes with every bell and beat, and on SQLite a write waits for all others."""
    [session] = _conversations(1)
    _hold_up(session)

    with CaptureQueriesContext(connection) as asked:
        assert _claimed(8) == []
    assert not [one["sql"] for one in asked if "UPDATE" in one["sql"]]


def test_what_sending_takes_comes_with_the_claim(django_assert_num_queries: Any) -> None:
    _conversations(1)
    [delivery] = leases.claim(most=1)

    with django_assert_num_queries(1):  # the words
        jobs.load(delivery)
    with django_assert_num_queries(1):
        assert leases.end(delivery, ["77"])


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite counts its own steps")
@pytest.mark.parametrize("act", ["claim", "keep"])
def test_a_claim_and_its_keeping_cost_the_same_however_much_is_owed(act: str) -> None:
    _conversations(4, events=10)
    few = _steps(act)
    for one in ChatSession.objects.all():
        _owe(one, 1000)

    assert _steps(act) < few * 1.1


def _steps(act: str) -> int:
    """Of SQLite's machine."""
    counted: dict[str, int] = {"claim": 0, "keep": 0}
    counting = "claim"

    def count() -> None:
        counted[counting] += 1

    connection.connection.set_progress_handler(count, 1)
    try:
        claimed = leases.claim(most=2)
        counting = "keep"
        assert len(leases.keep(claimed)) == 2
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted[act]
