"""The dashboard's figures, against a data set that is counted by hand."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.exceptions import RedisError

from chat_app import tasks
from chat_app.console import days, figures, running, totals
from chat_app.console.figures import Period
from chat_app.models import ChatMessage, DayFigures, MessageType
from sessions_app.models import Block, ChatSession
from tests.admin.conftest import LIST, SignIn, say

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = Period(MONDAY, MONDAY + timedelta(days=7))
USER, AI, STAFF = MessageType.USER, MessageType.ASSISTANT, MessageType.STAFF


def _session(began: datetime, name: str) -> ChatSession:
    return ChatSession.objects.create(
        id=name,
        email_hash="h" * 64,
        browser_hash="b" * 64,
        ip_address="192.0.2.1",
        created_at=began,
        last_activity=began,
        expires_at=began + timedelta(days=1),
        is_active=False,
    )


def _answer(session: ChatSession, at: datetime, first: int, took: float, **facts: Any) -> None:
    facts = {
        "model": "m/one",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost": Decimal("0.002"),
        **facts,
    }
    say(session, AI, timestamp=at, first_token_ms=first,
        finished_at=at + timedelta(seconds=took), **facts)  # fmt: skip


@pytest.fixture
def by_hand(db: Any) -> None:
    """Monday: 2 by the AI alone. Tuesday: 1 with staff, 1 not answered, 1 safety, 1 silent.

    The answer of the one with staff is a fallback model's."""
    nine = MONDAY + timedelta(hours=9)
    for name in ("a", "b"):
        session = _session(nine, name)
        for n in range(5):
            at = nine + timedelta(minutes=n)
            say(session, USER, timestamp=at)
            _answer(session, at, 100 * (n + 1), n + 1.0)
    tuesday = nine + timedelta(days=1, hours=1)
    staffed = _session(tuesday, "c")
    say(staffed, USER, timestamp=tuesday)
    _answer(staffed, tuesday, 1000, 10.0, model="m/two", cost=Decimal("0.010"), error="Timeout")
    say(staffed, STAFF, timestamp=tuesday)
    failed = _session(tuesday, "d")
    say(failed, USER, timestamp=tuesday)
    say(failed, AI, timestamp=tuesday, status="failed", degraded=True, error="timeout")
    unsafe = _session(tuesday, "e")
    say(unsafe, USER, timestamp=tuesday, safety=True)
    say(unsafe, AI, timestamp=tuesday, safety=True, finished_at=tuesday)
    _session(tuesday, "f")  # signed in, said nothing
    Block.objects.create(email_hash="x", created_at=tuesday, expires_at=tuesday)
    for outside in (WEEK.since - timedelta(seconds=1), WEEK.until):
        say(_session(outside, f"o{outside:%d}"), USER, timestamp=outside)


def test_figures_are_those_counted_by_hand(by_hand: None) -> None:
    found = totals.of(WEEK)
    assert found.sum.started == 6
    assert found.sum.said == {"user": 13, "assistant": 12, "staff": 1}
    assert found.sum.outcomes == {"ai": 2, "staff": 1, "none": 2}
    assert found.sum.failures == {"timeout": 1}
    assert found.sum.fallbacks == {"Timeout": 1}
    assert (found.sum.degraded, found.sum.safety, found.sum.blocks) == (1, 1, 1)
    assert found.cost == Decimal("0.030")
    assert found.tokens == 11 * 120
    assert {name: one.answers for name, one in found.sum.models.items()} == {
        "m/one": 10,
        "m/two": 1,
    }
    # 100 100 200 200 300 |300| 400 400 500 500 1000: the 6th and the 11th of 11.
    assert found.first_token == totals.Times(300, 1000)
    assert found.answer == totals.Times(3000, 10000)
    assert found.hours == {(0, 9): 2, (1, 10): 4}
    # Every minute's question and answer; the safety answer is said, the failed one is not.
    assert found.said_hours == {(0, 9): 20, (1, 10): 6}
    assert found.days[date(2026, 3, 2)].said["user"] == 10
    assert found.days[date(2026, 3, 4)].started == 0


def test_days_that_beat_counted_say_the_same_and_cost_one_query(by_hand: None) -> None:
    first = totals.of(WEEK)
    while days.keep_due():
        pass
    assert DayFigures.objects.filter(day__range=(WEEK.days[0], WEEK.days[-1])).count() == 7
    with CaptureQueriesContext(connection) as asked:
        again = totals.of(WEEK)
    assert len(asked) == 1
    assert again.days == first.days
    ChatMessage.objects.all().delete()
    assert totals.of(WEEK).sum == first.sum


def test_beat_counts_the_latest_days_first_and_goes_on(
    by_hand: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "_A_ROUND", 10)
    assert days.keep_due() == 10
    oldest = DayFigures.objects.order_by("day").values_list("day", flat=True).first()
    assert oldest > WEEK.days[-1]
    while days.keep_due():
        pass
    assert totals.of(WEEK).sum.started == 6
    assert DayFigures.objects.filter(day=date(2026, 3, 1)).exists()


def test_page_counts_no_past_day_with_much_in_it(
    by_hand: None, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "FEW", 5)
    found = totals.of(WEEK)
    assert found.pending == WEEK.days
    assert found.sum.started == 0
    path = f"{LIST}dashboard/?since=2026-03-02&until=2026-03-08"
    page = sign_in("Reviewer").get(path).content.decode()
    assert "7 days of these periods are still being counted" in page
    rows = list(
        csv.reader(io.StringIO(sign_in("Reviewer").get(f"{path}&format=csv").content.decode()))
    )
    assert rows[1] == ["2026-03-02", "", "", "", ""]
    assert ["days yet to be counted", "7"] in rows


def test_beat_counts_nothing_where_nobody_has_talked(db: Any) -> None:
    assert days.keep_due() == 0


def test_running_day_is_not_kept_but_shown(db: Any) -> None:
    now = datetime.now(UTC)
    say(_session(now, "n"), USER, timestamp=now)
    tasks.count_days()
    assert not DayFigures.objects.exists()
    assert totals.of(days.span([now.date()])).sum.started == 1


def test_beat_counts_a_busy_day_that_goes_on(
    db: Any, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    today = days.span([now.date()])
    session = _session(now, "n")
    for _ in range(3):
        say(session, USER, timestamp=now)
    assert not running.refresh()  # few: pages count them as they are
    monkeypatch.setattr(running, "FEW", 2)
    assert running.refresh()
    say(session, USER, timestamp=now)
    found = totals.of(today)
    assert (found.sum.said["user"], found.as_of is not None) == (3, True)
    assert "counted at" in sign_in("Reviewer").get(f"{LIST}dashboard/").content.decode()
    monkeypatch.setattr(running, "_key", lambda day: "none")
    assert totals.of(today).sum.said["user"] == 4


def test_running_days_are_counted_by_the_page_while_redis_is_away(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RedisError

    monkeypatch.setattr(type(caches["limits"]), "get_many", fail)
    assert totals.of(days.span([datetime.now(UTC).date()])).refused is None


def test_period_before_is_as_long() -> None:
    assert WEEK.before.days[-1] == date(2026, 3, 1)
    assert len(WEEK.before.days) == 7


def test_page_shows_the_figures_and_links_to_the_lists(by_hand: None, sign_in: SignIn) -> None:
    client = sign_in("Reviewer")
    page = client.get(f"{LIST}dashboard/?since=2026-03-02&until=2026-03-08").content.decode()
    assert "0.30 s" in page
    assert "$0.03" in page
    assert "label=degraded&amp;since=2026-03-02&amp;until=2026-03-08" in page
    listed = client.get(f"{LIST}?label=degraded&since=2026-03-02&until=2026-03-08").content.decode()
    assert "/d/change/" in listed
    assert "/c/change/" not in listed
    for query, shown in (("label=fallback", "c"), ("model=m/two", "c"), ("model=m/one", "a")):
        listed = client.get(f"{LIST}?{query}&since=2026-03-02&until=2026-03-08").content.decode()
        assert f"/{shown}/change/" in listed
        assert "/d/change/" not in listed


def test_dashboard_takes_a_bounded_number_of_queries(by_hand: None, sign_in: SignIn) -> None:
    client = sign_in("Reviewer")
    with CaptureQueriesContext(connection) as asked:
        client.get(f"{LIST}dashboard/")
    # The person's session and rights, two periods of one query, running days of five each.
    assert len(asked) <= 20, [one["sql"][:90] for one in asked]


def test_csv_has_days_and_figures(by_hand: None, sign_in: SignIn) -> None:
    answer = sign_in("Reviewer").get(
        f"{LIST}dashboard/?since=2026-03-02&until=2026-03-08&format=csv"
    )
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[1] == ["2026-03-02", "2", "10", "10", "0"]
    assert ["failed: timeout", "1"] in rows
    assert ["another model answered: Timeout", "1"] in rows
    assert ["blocks", "1"] in rows
    assert ["m/two tokens", "120"] in rows


def test_deliveries_are_counted(db: Any) -> None:
    assert figures.deliveries_due() == 0
