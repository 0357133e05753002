"""ratelimit.py: limits hold, also while Redis is away; nothing is unlimited, nothing is a 500."""

import pytest

from chatsite.core import ratelimit
from tests.support import open_session, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_away(settings):
    """The store of limits refuses every connection."""
    limits = {**settings.CACHES["limits"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "limits": limits}


def sign_in(api):
    return api.post("/auth/email", {"email": "ann@example.com"})


def test_refuses_sign_ins_when_redis_is_away(redis_away, api):
    for _ in range(2):
        refused = sign_in(api)
        problem(refused, 503, "unavailable")
        assert refused["Retry-After"] == "5"


def test_counts_in_this_process_when_redis_is_away(redis_away, visitor):
    found = [visitor.leave("Hello?").status_code for _ in range(12)]

    assert found == [202] * 10 + [429] * 2


def test_says_how_long_to_wait_when_counting_in_this_process(redis_away, api, settings):
    settings.CHAT_RATE_LIMIT = "1/hour"
    visitor = api.with_session(open_session())
    visitor.leave("Hello?")

    refused = visitor.leave("Hello?")

    problem(refused, 429, "rate_limited")
    assert refused["RateLimit-Policy"] == '"chat";q=1;w=3600'


def test_asks_a_failed_store_again_only_after_a_while(redis_away, visitor, log_lines):
    for _ in range(3):
        visitor.leave("Hello?")

    assert sum("limits are counted locally" in line for line in log_lines()) == 1


def test_counts_in_redis_again_when_it_is_back(api, settings, monkeypatch):
    working = settings.CACHES
    limits = {**working["limits"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**working, "limits": limits}
    problem(sign_in(api), 503, "unavailable")
    settings.CACHES = working
    monkeypatch.setattr(ratelimit, "_down_until", 0.0)

    assert sign_in(api).status_code == 200


def test_begins_here_when_redis_goes_between_two_commands(monkeypatch):
    from django.core.cache import caches

    cache = caches["limits"]
    assert cache.add("key", 1, 60) is True
    monkeypatch.setattr(ratelimit, "_down_until", float("inf"))

    assert cache.incr("key") == 1
    assert cache.incr("key") == 2


def test_never_asks_when_limits_are_off(redis_away, api, settings):
    settings.RATE_LIMITING_ENABLED = False

    assert sign_in(api).status_code == 200


@pytest.mark.parametrize(
    ("rate", "window"), [("1/s", 1), ("1/minute", 60), ("1/h", 3600), ("1/day", 86400)]
)
def test_names_the_window_when_refusing(api, settings, rate, window):
    settings.AUTH_RATE_LIMIT = rate
    answers = [sign_in(api) for _ in range(6)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0]["RateLimit-Policy"] == f'"auth";q=1;w={window}'
