"""Behaviour over time: limits get lower, then a wait is asked for, and staff see why."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from sessions_app import watching
from sessions_app.models import ChatSession
from tests.support import open_session, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _a_message_a_second(settings):
    settings.CHAT_RATE_LIMIT = "60/minute"
    settings.CHAT_ADDRESS_RATE_LIMIT = "100000/minute"
    settings.TRUSTED_PROXIES = ["1"]


def post(visitor, clock, *gaps, text="Hello {0}?", address="203.0.113.1"):
    """Posts, each so many seconds after the one before."""
    found = []
    for number, gap in enumerate(gaps):
        clock.shift(timedelta(seconds=gap))
        found.append(visitor.leave(text.format(number), x_forwarded_for=address))
    return found


def codes(answers):
    return [answer.status_code for answer in answers]


def test_asks_a_timer_to_wait_and_shows_staff_why(visitor, session, clock):
    answers = post(visitor, clock, *[10] * 9)

    assert codes(answers) == [202] * 7 + [429] * 2
    for answer in answers[7:]:
        problem(answer, 429, "slow_down")
        assert 1 <= int(answer["Retry-After"]) <= 60
    session.refresh_from_db()
    assert (session.bot_points, session.message_count) == (4, 7)
    (reason,) = session.bot_reasons
    assert reason["reason"] == "cadence"
    assert reason["detail"].startswith("8 messages, 10.0 s apart")


def test_has_less_when_it_is_only_suspected(visitor, session, clock, settings):
    settings.BOT_RATE_LIMIT = "2/minute"
    gaps = [10, 15, 7, 12, 30, 9, 11, 40, 8, 25, 13, 9]
    assert codes(post(visitor, clock, *gaps, text="same")) == [202] * 12

    answers = post(visitor, clock, 21, 34, text="same")

    assert codes(answers) == [202, 429]
    problem(answers[1], 429, "rate_limited")
    assert answers[1]["RateLimit-Policy"] == '"chat-slow";q=2;w=60'
    session.refresh_from_db()
    assert (session.bot_points, session.bot_reasons[0]["reason"]) == (2, "repetition")


def test_judges_anew_when_the_wait_is_over(visitor, clock, redis, settings):
    post(visitor, clock, *[10] * 8)
    problem(post(visitor, clock, 10)[0], 429, "slow_down")
    redis.delete(f"chatsite:bots:session:{visitor.session.pk}:wait")

    assert codes(post(visitor, clock, 61, 13, 40, 9)) == [202] * 4


def test_suspects_every_session_when_one_address_has_a_farm(api, clock, settings):
    settings.BOT_SESSIONS_PER_ADDRESS, settings.BOT_RATE_LIMIT = 3, "1/minute"
    visitors = [api.with_session(open_session(f"v{n}@example.com")) for n in range(6)]
    found = [codes(post(one, clock, 5, 5, text=f"{n} {{0}}")) for n, one in enumerate(visitors)]

    assert found == [[202, 202]] * 2 + [[202, 429]] * 3 + [[429, 429]]
    # One by one: all were made at the same moment, which puts them in no order.
    kept = [ChatSession.objects.get(pk=one.session.pk).bot_points for one in visitors]
    assert kept == [0, 0, 2, 2, 2, 4]
    apart = api.with_session(open_session("w@example.com"))
    assert codes(post(apart, clock, 5, address="198.51.100.1")) == [202]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "garbage"])
def test_knows_no_neighbours_when_everybody_comes_from_this_machine(api, clock, settings, address):
    """A proxy that TRUSTED_PROXIES does not name: all visitors would be one farm."""
    settings.BOT_SESSIONS_PER_ADDRESS = 2
    visitors = [api.with_session(open_session(f"v{n}@example.com")) for n in range(5)]

    assert {one.leave("Hello?", x_forwarded_for=address).status_code for one in visitors} == {202}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_DETECTION_ENABLED", False),
        ("RATE_LIMITING_ENABLED", False),
        ("CHAT_RATE_LIMIT", "61/minute"),
    ],
)
def test_judges_nobody_when_it_is_off_or_programs_are_expected(
    visitor, clock, settings, name, value
):
    setattr(settings, name, value)

    assert codes(post(visitor, clock, *[10] * 9)) == [202] * 9


def test_judges_nobody_when_redis_is_away(visitor, clock, settings):
    limits = {**settings.CACHES["limits"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "limits": limits}

    assert codes(post(visitor, clock, *[10] * 9)) == [202] * 9


def test_refuses_anyway_when_redis_goes_before_the_wait_is_kept(session, clock, monkeypatch):
    from redis.exceptions import RedisError

    from chatsite.core import ratelimit

    working, asked = ratelimit.pipeline, []

    def failing():
        asked.append(1)
        if len(asked) == 9:
            raise RedisError
        return working()

    monkeypatch.setattr(ratelimit, "pipeline", failing)
    for number in range(7):
        clock.shift(timedelta(seconds=10))
        watching.notice(session=session, address="203.0.113.1", text=f"{number}")
    clock.shift(timedelta(seconds=10))

    with pytest.raises(watching.SlowDown):
        watching.notice(session=session, address="203.0.113.1", text="last")


def test_asks_the_database_nothing_when_nobody_is_suspected(session, django_assert_num_queries):
    with django_assert_num_queries(0):
        watching.notice(session=session, address="203.0.113.1", text="Hello?")


def test_takes_one_round_trip_when_a_message_comes(session, monkeypatch):
    from chatsite.core import ratelimit

    working, asked = ratelimit.pipeline, []
    monkeypatch.setattr(ratelimit, "pipeline", lambda: (asked.append(1), working())[1])

    watching.notice(session=session, address="203.0.113.1", text="Hello?")

    assert asked == [1]


def test_shows_staff_the_reasons_in_the_console(admin_client, session):
    ChatSession.objects.update(
        bot_points=4,
        bot_reasons=[
            {"reason": "cadence", "points": 4, "detail": "8 messages, <b>10.0 s</b> apart"}
        ],
    )

    page = admin_client.get(f"/admin/sessions_app/chatsession/{session.pk}/change/")

    said = page.content.decode()
    assert "Suspected program" in said
    assert "8 messages, &lt;b&gt;10.0 s&lt;/b&gt; apart" in said
