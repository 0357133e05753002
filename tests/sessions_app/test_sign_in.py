"""`POST /auth/email`: what opens a session, and what does not."""

import json
from datetime import UTC, datetime

import pytest

from sessions_app.models import ChatSession, SessionContact, SessionEvent
from tests.support import fields, problem

pytestmark = pytest.mark.django_db

FIELDS = {
    "access_token",
    "token_type",
    "expires_in",
    "session_id",
    "expires_at",
    "verified",
    "messages_remaining",
}


def sign_in(api, email="ann@example.com", **headers):
    return api.post("/auth/email", {"email": email}, **headers)


def test_opens_a_session_when_the_address_is_one(api):
    response = sign_in(api)

    assert response.status_code == 200
    body = response.json()
    assert set(body) == FIELDS
    assert body["token_type"] == "bearer"
    assert body["verified"] is False
    assert body["messages_remaining"] == 50
    assert 24 * 3600 - 60 < body["expires_in"] <= 24 * 3600
    expires = datetime.fromisoformat(body["expires_at"])
    assert expires.utcoffset().total_seconds() == 0
    assert 23.9 < (expires - datetime.now(UTC)).total_seconds() / 3600 <= 24
    session = ChatSession.objects.get(pk=body["session_id"])
    assert session.is_active
    assert session.ip_address == "127.0.0.1"
    assert len(session.pk) == 32


def test_token_opens_the_session_when_it_is_used(api):
    body = sign_in(api).json()

    found = api.get("/auth/session", authorization=f"Bearer {body['access_token']}")

    assert found.status_code == 200
    assert found.json()["session_id"] == body["session_id"]


def test_stores_the_address_apart_and_a_hash_when_a_session_opens(api):
    body = sign_in(api, "  Ann@Example.COM ").json()

    session = ChatSession.objects.get(pk=body["session_id"])
    assert SessionContact.objects.get(session=session).email == "Ann@Example.COM"
    assert len(session.email_hash) == len(session.browser_hash) == 64
    assert "ann" not in session.email_hash
    assert list(SessionEvent.objects.values_list("session_id", "seq", "kind")) == [
        (session.pk, 1, "opened")
    ]


def test_opens_a_new_session_when_the_address_is_known(api):
    first, second = sign_in(api).json(), sign_in(api, "ANN@example.com").json()

    assert first["session_id"] != second["session_id"]
    hashes = ChatSession.objects.values_list("email_hash", flat=True)
    assert len(set(hashes)) == 1


@pytest.mark.parametrize(
    "email",
    [
        "",
        "   ",
        "ann",
        "ann@example",
        "@example.com",
        "ann@",
        '"ann"@example.com',
        "ann@[127.0.0.1]",
        "a" * 65 + "@example.com",
        "a" * 5000 + "@example.com",
        "ann@example.com\r\nBcc: bob@example.com",
        "ann@example.com,bob@example.com",
        "ann@example.com bob@example.com",
        "ann@exa mple.com",
        "ann@example..com",
        "Ann <ann@example.com>",
        "ann\x00@example.com",
        None,
        17,
        True,
        ["ann@example.com"],
        {"a": 1},
    ],
)
def test_names_the_field_when_the_address_is_none(api, email):
    assert fields(sign_in(api, email)) == ["email"]
    assert not ChatSession.objects.exists()


def test_gives_a_homoglyph_an_identity_of_its_own_when_it_looks_the_same(api):
    first, second = sign_in(api, "ann@example.com"), sign_in(api, "аnn@example.com")  # Cyrillic а

    assert (first.status_code, second.status_code) == (200, 200)
    assert len(set(ChatSession.objects.values_list("email_hash", flat=True))) == 2


def test_names_the_field_when_it_is_missing_or_unknown(api):
    assert fields(api.post("/auth/email", {})) == ["email"]
    assert fields(api.post("/auth/email", {"email": "a@example.com", "admin": True})) == ["admin"]


@pytest.mark.parametrize("body", [[], "x", 5, None, True])
def test_refuses_a_body_that_is_no_object_when_signing_in(api, body):
    problem(api.post("/auth/email", json.dumps(body)), 400, "invalid_input")


def test_says_the_same_when_an_address_is_known_and_when_it_is_not(api, settings):
    settings.RATE_LIMITING_ENABLED = False
    sign_in(api, "known@example.com")

    known, unknown = sign_in(api, "known@example.com"), sign_in(api, "new@example.com")

    assert known.status_code == unknown.status_code == 200
    assert set(known.json()) == set(unknown.json())
    assert known["Content-Length"] == unknown["Content-Length"]


@pytest.mark.parametrize("agent", ["", "curl/8", "123456789"])
def test_suspects_a_bot_when_the_user_agent_is_short(api, agent):
    problem(sign_in(api, user_agent=agent), 403, "bot_suspected")
    assert not ChatSession.objects.exists()


def test_lets_a_short_user_agent_in_when_detection_is_off_or_it_is_long_enough(api, settings):
    assert sign_in(api, user_agent="1234567890").status_code == 200
    settings.BOT_DETECTION_ENABLED = False
    assert sign_in(api, user_agent="").status_code == 200


def test_refuses_with_the_limit_when_an_address_signs_in_too_often(api):
    answers = [sign_in(api) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    refused = answers[5]
    problem(refused, 429, "rate_limited")
    wait = int(refused["Retry-After"])
    assert 1 <= wait <= 60
    assert refused["RateLimit"] == f'"auth";r=0;t={wait}'
    assert refused["RateLimit-Policy"] == '"auth";q=5;w=60'
    assert ChatSession.objects.count() == 5


def test_counts_each_address_by_itself_when_a_proxy_names_them(api, settings):
    settings.AUTH_RATE_LIMIT = "1/minute"
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    callers = ["203.0.113.1", "203.0.113.2", "203.0.113.1"]

    found = [sign_in(api, x_forwarded_for=caller).status_code for caller in callers]

    assert found == [200, 200, 429]


def test_counts_a_network_as_one_when_it_walks_through_its_64(api, settings):
    settings.AUTH_RATE_LIMIT = "1/minute"
    settings.TRUSTED_PROXIES = ["1"]
    callers = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"]

    found = [sign_in(api, x_forwarded_for=caller).status_code for caller in callers]

    assert found == [200, 429, 200]


def test_counts_nothing_when_limits_are_off(api, settings):
    settings.RATE_LIMITING_ENABLED = False

    assert {sign_in(api).status_code for _ in range(8)} == {200}


def test_takes_a_fixed_number_of_queries_when_signing_in(api, django_assert_num_queries, is_sqlite):
    """SAVEPOINT and RELEASE, in production BEGIN and COMMIT, are two of them.

    Between them PostgreSQL takes one: blocks and the crowd are looked at where the session, its
    contact and its event are stored. SQLite takes one a table.
    """
    with django_assert_num_queries(5 if is_sqlite else 3):
        assert sign_in(api).status_code == 200
