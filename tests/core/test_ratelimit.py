"""ratelimit.py: limits hold, also while Redis is away; nothing is unlimited, nothing is a 500."""

import time

import pytest
import redis
import time_machine
from django.core.cache import caches
from django.utils import timezone

from chatsite.core import ratelimit, rates, tally
from tests.support import open_session, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_away(settings):
    """The store of limits refuses every connection."""
    limits = {**settings.CACHES["limits"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "limits": limits}


@pytest.fixture
def clock():
    """This process's clock, which the test moves; Redis keeps its own."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


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


def test_counts_a_refusal_or_not_when_redis_goes_between_two_commands(monkeypatch):
    cache = caches["limits"]
    monkeypatch.setattr(ratelimit, "_down_until", float("inf"))
    monkeypatch.setattr(type(cache), "add", lambda *_, **__: True)

    tally.refused("chat")

    assert caches["local"].get(tally._key("chat", timezone.now().date())) is None


def test_counts_both_halves_of_a_burst_when_a_minute_ends_within_it(visitor, settings, clock):
    """django-ratelimit's own windows would let it pass twice."""
    settings.CHAT_RATE_LIMIT = "2/minute"
    found = []
    for _ in range(60):
        found.append(visitor.leave("Hello?").status_code)
        clock.shift(0.5)

    assert found == [202, 202] + [429] * 58


def test_begins_a_new_window_when_the_first_is_over(visitor, settings):
    settings.CHAT_RATE_LIMIT = "1/s"

    assert visitor.leave("Hello?").status_code == 202
    refused = visitor.leave("Hello?")
    assert refused.status_code == 429
    while visitor.leave("Hello?").status_code == 429:
        time.sleep(0.05)


def test_begins_a_new_window_here_when_the_first_is_over(redis_away, visitor, settings, clock):
    settings.CHAT_RATE_LIMIT = "1/minute"

    assert [visitor.leave("Hello?").status_code for _ in range(2)] == [202, 429]
    clock.shift(30)
    refused = visitor.leave("Hello?")
    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    clock.shift(31)
    assert visitor.leave("Hello?").status_code == 202


def test_begins_here_when_the_window_ends_while_it_is_counted(monkeypatch):
    monkeypatch.setattr(type(caches["local"]), "add", lambda *_, **__: True)

    assert ratelimit._count_here("name", 60) == (1, 60)


def test_tells_what_is_left_when_a_request_passes(visitor):
    first, second = visitor.leave("Hello?"), visitor.leave("Hello?")

    assert first["RateLimit"] == '"chat";r=9;t=60, "chat-address";r=59;t=60'
    assert second["RateLimit"].startswith('"chat";r=8;t=')
    assert second["RateLimit-Policy"] == '"chat";q=10;w=60, "chat-address";q=60;w=60'
    assert "RateLimit" not in visitor.get("/auth/session")


def test_never_asks_when_limits_are_off(redis_away, api, settings):
    settings.RATE_LIMITING_ENABLED = False

    assert sign_in(api).status_code == 200


@pytest.mark.parametrize(
    ("rate", "window"),
    [("1/s", 1), ("1/minute", 60), ("1/h", 3600), ("1/day", 86400), ("1/5m", 300)],
)
def test_names_the_window_when_refusing(api, settings, rate, window):
    settings.AUTH_RATE_LIMIT = rate
    answers = [sign_in(api) for _ in range(6)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0]["RateLimit-Policy"] == f'"auth";q=1;w={window}'


@pytest.mark.parametrize(
    ("rate", "found"), [("10/minute", 60), ("5/2h", 7200), ("0/s", 1), ("3/d", 86400)]
)
def test_reads_the_window_when_a_rate_is_one(rate, found):
    assert rates.seconds(rate) == found


@pytest.mark.parametrize(
    "rate", ["", "ten", "10", "10/", "10/0m", "-1/m", "10/month", "10/m;", "1/w"]
)
def test_raises_when_it_is_no_rate(rate):
    with pytest.raises(ValueError, match="minute"):
        rates.seconds(rate)


@pytest.mark.parametrize("store", ["redis", "local"])
def test_takes_nothing_from_an_address_when_a_sessions_limit_refuses(api, settings, request, store):
    if store == "local":
        request.getfixturevalue("redis_away")
    settings.CHAT_RATE_LIMIT = "1/minute"
    eager, other = (api.with_session(open_session(f"{name}@example.com")) for name in "ab")
    assert [eager.leave("Hello?").status_code for _ in range(5)] == [202] + [429] * 4

    passed = other.leave("Hello?")

    assert passed["RateLimit"].startswith('"chat";r=0;')
    assert '"chat-address";r=58;' in passed["RateLimit"]


def test_tallies_what_it_refused(visitor, settings):
    settings.CHAT_RATE_LIMIT = "1/minute"
    today = [timezone.now().date()]
    before = tally.count(["chat"], today)

    assert [visitor.leave("Hello?").status_code for _ in range(3)] == [202, 429, 429]

    assert tally.count(["chat"], today) == before + 2


def test_counts_all_limits_of_a_post_in_one_round_trip(visitor, monkeypatch):
    visitor.leave("Hello?")  # which makes the script known
    asked, execute = [], redis.Redis.execute_command

    def spy(self, *command, **options):
        asked.append(command[0])
        return execute(self, *command, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", spy)
    assert visitor.leave("Hello?").status_code == 202

    assert asked == ["EVALSHA"]
