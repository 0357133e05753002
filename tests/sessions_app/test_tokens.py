"""Tokens: only ours, whole, in time and for a session that there is."""

import base64
import json
import time

import jwt
import pytest
import time_machine
from django.conf import settings as django_settings

from sessions_app import tokens
from tests.support import open_session, problem

pytestmark = pytest.mark.django_db


def claims(session, **changes):
    now = int(time.time())
    found = {
        "token_type": "visitor",
        "exp": now + 3600,
        "iat": now,
        "jti": session.pk,
        "aud": "chatsite-visitor",
        "iss": "chatsite",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def signed(payload, key=None, algorithm="HS256", headers=None):
    return jwt.encode(
        payload, key or django_settings.JWT_SECRET_KEY, algorithm=algorithm, headers=headers
    )


def by_hand(header, payload, signature=b""):
    parts = [json.dumps(part).encode() for part in (header, payload)]
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature)
    )


def use(api, token, path="/auth/session"):
    return api.get(path, authorization=f"Bearer {token}")


def test_opens_the_session_when_the_claims_are_ours(api, session):
    assert use(api, signed(claims(session))).json()["session_id"] == session.pk


@pytest.mark.parametrize("ahead", [120, -120])
def test_opens_the_session_when_the_issuers_clock_is_minutes_away(api, session, ahead):
    with time_machine.travel(time.time() + ahead):
        token = tokens.issue(session)

    assert use(api, token).json()["session_id"] == session.pk


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": []},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 32},
        {"jti": 17},
        {"jti": ["a"]},
        {"jti": {"pk": 1}},
        {"aud": None},
        {"aud": "other"},
        {"aud": []},
        {"iss": None},
        {"iss": "other"},
        {"token_type": None},
        {"token_type": "access"},
        {"token_type": "refresh"},
        {"nbf": 2**33},
        {"iat": 2**33},
        {"iat": "x"},
    ],
    ids=str,
)
def test_refuses_the_token_when_a_claim_is_not_ours(api, session, changes):
    response = use(api, signed(claims(session, **changes)))

    problem(response, 401, "invalid_token")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("jti", ["\x00", "a\x00b", "\ud800", "é" * 40, "x" * 300])
def test_refuses_the_token_when_its_session_can_be_no_id(api, session, jti):
    header, payload = {"alg": "HS256", "typ": "JWT"}, claims(session, jti=jti)
    unsigned = by_hand(header, payload).rstrip(".")
    key = django_settings.JWT_SECRET_KEY.encode()
    signature = jwt.get_algorithm_by_name("HS256").sign(unsigned.encode(), key)
    token = f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    problem(use(api, token), 401, "invalid_token")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS1", "RS256", ["HS256"], None, 7])
def test_refuses_the_token_when_its_algorithm_is_not_ours(api, session, algorithm):
    header = {"typ": "JWT", "alg": algorithm}

    problem(use(api, by_hand(header, claims(session))), 401, "invalid_token")
    problem(use(api, by_hand(header, claims(session), b"x" * 32)), 401, "invalid_token")


def test_refuses_the_token_when_another_allowed_looking_algorithm_signed_it(api, session):
    problem(
        use(api, signed(claims(session), key="j" * 64, algorithm="HS512")), 401, "invalid_token"
    )


def test_refuses_the_token_when_another_key_signed_it(api, session):
    problem(use(api, signed(claims(session), key="k" * 48)), 401, "invalid_token")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1"},
        {"jku": "http://127.0.0.1:9/keys"},
        {"jwk": {"kty": "oct", "k": "eA"}},
        {"x5u": "http://127.0.0.1:9/cert"},
    ],
    ids=str,
)
def test_takes_no_key_from_the_token_when_it_brings_one(api, session, header):
    token = signed(claims(session), key="x" * 48, headers=header)

    problem(use(api, token), 401, "invalid_token")


@pytest.mark.parametrize(
    "credentials",
    [
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer " + "x" * 8192,
        "Bearer a.b.c",
        "Bearer ...",
        "Bearer é.é.é",
        "Bearer a b c",
        "Basic YTpi",
        "Token x",
        "",
    ],
)
def test_refuses_the_call_when_the_credentials_are_junk(api, session, credentials):
    problem(api.get("/auth/session", authorization=credentials), 401, "invalid_token")


def test_takes_the_scheme_in_any_case_when_it_is_bearer(api, session):
    response = api.get("/auth/session", authorization=f"bEARER {tokens.issue(session)}")

    assert response.status_code == 200


def test_refuses_the_call_when_the_token_is_in_the_query(api, session):
    token = tokens.issue(session)

    problem(api.get(f"/auth/session?token={token}&access_token={token}"), 401, "invalid_token")


def test_refuses_a_changed_token_when_any_part_is_changed(api, session):
    head, body, signature = tokens.issue(session).split(".")
    other = tokens.issue(open_session()).split(".")

    for token in (
        f"{head}.{other[1]}.{signature}",
        f"{head}.{body}.{other[2]}",
        f"{head}.{body}.",
        f"{head}.{body}",
    ):
        problem(use(api, token), 401, "invalid_token")


def test_expires_with_its_session_when_it_is_issued(session):
    payload = jwt.decode(tokens.issue(session), options={"verify_signature": False})

    assert payload["exp"] == int(session.expires_at.timestamp())
    assert payload["jti"] == session.pk
    assert set(payload) == {"token_type", "exp", "iat", "jti", "aud", "iss"}


def test_touches_no_database_when_the_token_is_not_ours(api, session, django_assert_num_queries):
    with django_assert_num_queries(0):
        use(api, signed(claims(session), key="k" * 48))
