"""budgets.py: what a day's answers may take, counted exactly, whoever dies and whatever races."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from chat_app import budgets
from chat_app.budgets import Amount
from chat_app.models import Spending
from tests.support import at_once, open_session, problem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings):
    settings.DAILY_TOKENS = settings.SESSION_DAILY_TOKENS = 0
    settings.DAILY_COST = settings.SESSION_DAILY_COST = 0.0


def take(tokens=0, cost="0", session="s1"):
    return budgets.take(session_id=session, most=Amount(tokens, Decimal(cost)))


def spent(scope=""):
    return Spending.objects.values_list("tokens", "billionths").get(scope=scope)


def test_counts_for_the_session_and_for_all_when_taken():
    take(10, "0.00000001", "s1")
    take(5, "0.5", "s2")

    assert spent() == (15, 500_000_010)
    assert (spent("s1"), spent("s2")) == ((10, 10), (5, 500_000_000))


@pytest.mark.parametrize(
    ("name", "limit", "scope"),
    [
        ("DAILY_TOKENS", 100, "all"),
        ("DAILY_COST", 1.0, "all"),
        ("SESSION_DAILY_TOKENS", 100, "session"),
        ("SESSION_DAILY_COST", 1.0, "session"),
    ],
)
def test_takes_nothing_when_it_is_more_than_is_left(settings, name, limit, scope):
    setattr(settings, name, limit)
    take(60, "0.6")

    with pytest.raises(budgets.Spent) as raised:
        take(41, "0.400000001")

    assert (raised.value.scope, raised.value.code) == (scope, f"budget_{scope}")
    assert spent() == spent("s1") == (60, 600_000_000), "neither of the two"
    take(40, "0.4")
    assert spent() == (100, 10**9)


def test_leaves_others_their_budget_when_one_session_spent_its_own(settings):
    settings.SESSION_DAILY_TOKENS = 100
    take(100)

    with pytest.raises(budgets.Spent):
        take(1)
    take(100, session="s2")
    budgets.refuse_spent()


@pytest.mark.parametrize(
    ("used", "left"), [(Amount(), (0, 0)), (Amount(90, Decimal(2)), (90, 2 * 10**9))]
)
def test_counts_what_was_used_when_settled(used, left):
    taken = take(60, "1")

    budgets.settle([(taken, used)])

    assert spent() == spent("s1") == left


def test_begins_anew_when_the_day_does(settings):
    settings.DAILY_TOKENS = 100
    with time_machine.travel(datetime(2026, 3, 1, 23, 59, 50, tzinfo=UTC)) as clock:
        late = take(100)
        with pytest.raises(budgets.Spent):
            take(1)
        clock.shift(timedelta(seconds=20))
        take(70)
        budgets.settle([(late, Amount(40))])

        assert dict(Spending.objects.filter(scope="").values_list("day__day", "tokens")) == {
            1: 40,
            2: 70,
        }
        clock.shift(timedelta(days=2))
        take(1)

    days = Spending.objects.order_by("day", "scope").values_list("day__day", "scope")
    assert list(days) == [(1, ""), (2, ""), (4, ""), (4, "s1")], "sessions' old rows are gone"


def test_refuses_posts_for_a_while_when_all_is_spent(settings, api):
    settings.DAILY_TOKENS = 100
    visitor = api.with_session(open_session())
    take(100)
    with pytest.raises(budgets.Spent):
        take(1, session="s2")

    refused = visitor.leave("Hello?")

    body = problem(refused, 503, "budget_spent")
    assert body["detail"] == settings.LLM_BUDGET_TEXT
    assert 1 <= int(refused["Retry-After"]) <= 3600
    session = visitor.session
    session.refresh_from_db()
    assert session.message_count == 0
    attack = visitor.leave("<script>alert('xss')</script>")
    assert attack.status_code == 202, "a safety answer asks no model"


def test_takes_posts_for_people_when_all_is_spent(settings, api):
    settings.DAILY_TOKENS = 100
    visitor = api.with_session(open_session(responder="human"))
    with pytest.raises(budgets.Spent):
        take(101)

    assert visitor.leave("Hello?").status_code == 202


def test_asks_again_when_a_minute_is_over(settings):
    settings.DAILY_TOKENS = 100
    with time_machine.travel(timezone.now()) as clock:
        with pytest.raises(budgets.Spent):
            take(101)
        with pytest.raises(budgets.BudgetSpent):
            budgets.refuse_spent()
        clock.shift(timedelta(seconds=61))

        budgets.refuse_spent()


def test_asks_the_database_once_when_many_post(django_assert_num_queries):
    with django_assert_num_queries(1):
        for _ in range(5):
            budgets.refuse_spent()


@pytest.mark.parametrize(
    ("tokens", "cost", "limits", "status", "share"),
    [
        (10, "0", (0, 0.0), "off", 0),
        (10, "0", (100, 0.0), "ok", 0.1),
        (10, "0.79", (100, 1.0), "ok", 0.79),
        (80, "0", (100, 1.0), "low", 0.8),
        (1, "0.8", (100, 1.0), "low", 0.8),
        (100, "0", (100, 1.0), "spent", 1),
        (1, "3", (100, 1.0), "spent", 1),
    ],
)
def test_says_how_the_day_is(settings, tokens, cost, limits, status, share):
    take(tokens, cost)
    settings.DAILY_TOKENS, settings.DAILY_COST = limits

    found = budgets.state()

    assert (found.status, round(found.share, 9)) == (status, share)
    assert found.used == Amount(tokens, Decimal(cost))


def test_says_spent_when_more_was_asked_than_is_left(settings):
    settings.DAILY_TOKENS = 100
    assert (budgets.state().status, budgets.state().share) == ("ok", 0)
    with pytest.raises(budgets.Spent):
        take(101)

    assert budgets.state().status == "spent"


def test_names_itself_when_shown():
    take(1)

    assert sorted(str(one)[10:] for one in Spending.objects.all()) == [" all", " s1"]


@pytest.mark.django_db(transaction=True)
def test_gives_exactly_the_limit_when_all_take_at_once(settings):
    settings.DAILY_TOKENS = 100

    def one(session):
        try:
            return take(10, session=session)
        except budgets.Spent:
            return None

    found = at_once([lambda n=n: one(f"s{n % 4}") for n in range(24)])

    assert sum(taken is not None for taken in found) == 10
    assert spent()[0] == 100
    assert sum(Spending.objects.exclude(scope="").values_list("tokens", flat=True)) == 100
