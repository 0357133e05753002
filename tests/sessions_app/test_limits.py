"""Sessions end when nobody speaks, and a network has no more than it may have."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app import selectors, services
from sessions_app.models import ChatSession
from tests.support import AGENT, at_once, open_session, problem

pytestmark = pytest.mark.django_db


def ago(**parts):
    return timezone.now() - timedelta(**parts)


def sign_in(api, address="203.0.113.1"):
    return api.post("/auth/email", {"email": "ann@example.com"}, x_forwarded_for=address)


@pytest.fixture
def proxied(settings):
    settings.TRUSTED_PROXIES, settings.AUTH_RATE_LIMIT = ["1"], "1000/minute"
    return settings


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/auth/session"), ("POST", "/chat"), ("GET", "/chat/events")]
)
def test_refuses_every_call_when_nobody_spoke_for_hours(api, method, path):
    visitor = api.with_session(open_session(last_activity=ago(hours=8, seconds=1)))

    problem(visitor.call(method, path), 401, "session_expired")


def test_lets_in_when_somebody_spoke_in_time_or_silence_is_no_end(api, settings):
    visitor = api.with_session(open_session(last_activity=ago(hours=7, minutes=59)))
    silent = api.with_session(open_session(last_activity=ago(hours=20)))

    assert visitor.leave("Hello?").status_code == 202
    settings.SESSION_IDLE_HOURS = 0
    assert silent.leave("Hello?").status_code == 202


def test_counts_from_what_was_said_last_when_a_message_comes(api):
    session = open_session(last_activity=ago(hours=7))
    api.with_session(session).leave("Hello?")

    session.refresh_from_db()
    assert session.last_activity > ago(minutes=1)


def test_refuses_at_the_store_when_it_fell_silent_after_it_was_authenticated(session):
    from chat_app import services as chat
    from sessions_app.authentication import SessionExpired

    ChatSession.objects.update(last_activity=ago(hours=9))

    with pytest.raises(SessionExpired):
        chat.post_message(session=session, text="Hello?")


def test_ends_the_silent_when_swept(db):
    silent = open_session(last_activity=ago(hours=9))
    spoken = open_session(last_activity=ago(hours=7))

    assert services.expire_sessions() == 1

    assert selectors.still_open([silent.pk, spoken.pk]) == {spoken.pk: 1}
    silent.refresh_from_db()
    assert (silent.is_active, silent.closed_by) == (False, "expiry")


def test_refuses_when_a_network_has_all_its_sessions(api, proxied):
    proxied.SESSIONS_PER_ADDRESS = 2
    same = ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3::3"]

    answers = [sign_in(api, address) for address in same]

    assert [one.status_code for one in answers] == [200, 200, 429]
    problem(answers[2], 429, "session_limit")
    assert int(answers[2]["Retry-After"]) > 0
    assert sign_in(api, "2001:db8:1:3::1").status_code == 200
    assert set(ChatSession.objects.values_list("network", flat=True)) == {
        "2001:db8:1:2::/64",
        "2001:db8:1:3::/64",
    }


def test_gives_the_place_to_another_when_a_session_ends(api, proxied):
    proxied.SESSIONS_PER_ADDRESS = 1
    first = ChatSession.objects.get(pk=sign_in(api).json()["session_id"])
    problem(sign_in(api), 429, "session_limit")

    ChatSession.objects.update(last_activity=ago(hours=9))  # not yet swept
    assert sign_in(api).status_code == 200
    services.close_session(session_id=first.pk, closed_by="visitor")
    problem(sign_in(api), 429, "session_limit")


@pytest.mark.parametrize("name", ["SESSIONS_PER_ADDRESS", "SESSIONS_PER_ADDRESS_A_DAY"])
def test_counts_no_sessions_when_there_is_no_limit_or_limits_are_off(api, proxied, name):
    setattr(proxied, name, 0)
    assert {sign_in(api).status_code for _ in range(3)} == {200}
    setattr(proxied, name, 1)
    proxied.RATE_LIMITING_ENABLED = False
    assert sign_in(api).status_code == 200


def test_refuses_with_the_limit_when_a_network_has_opened_its_sessions_of_the_day(api, proxied):
    proxied.SESSIONS_PER_ADDRESS_A_DAY = 2

    answers = [sign_in(api) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    problem(answers[2], 429, "rate_limited")
    assert answers[2]["RateLimit-Policy"] == '"sessions";q=2;w=86400'


@pytest.mark.django_db(transaction=True)
def test_opens_exactly_the_limit_when_many_are_opened_at_once(settings):
    settings.SESSIONS_PER_ADDRESS = 5

    def open_one():
        try:
            return services.open_session(
                email="ann@example.com", address="203.0.113.1", user_agent=AGENT
            )
        except Exception as error:
            return error

    found = at_once([open_one] * 16)

    assert ChatSession.objects.count() == 5
    assert (
        sorted(type(one).__name__ for one in found)
        == ["ChatSession"] * 5 + ["TooManySessions"] * 11
    )
