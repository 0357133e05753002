"""A1: tokens of every wrong kind are refused alike, and nothing is opened or fetched for them."""

import base64
import builtins
import json
import socket

import jwt
import pytest
from django.conf import settings

from sessions_app import keyring, tokens

pytestmark = pytest.mark.django_db

KEY = settings.JWT_SECRET_KEY
KID = keyring.kid(KEY)


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header, claims, signature=b"x" * 32):
    return ".".join(
        [*(part(json.dumps(one).encode()) for one in (header, claims)), part(signature)]
    )


def signed(claims, key=KEY, **header):
    return jwt.encode(claims, key, algorithm="HS256", headers={"kid": KID, **header})


def wrong(claims):
    """Tokens that anybody can make, or that our key made and that are not good."""
    without = lambda name: {key: value for key, value in claims.items() if key != name}  # noqa: E731
    yield from (
        by_hand({"typ": "JWT", "alg": alg, "kid": KID}, claims, signature)
        for alg in ("none", "None", "nOnE", "", "RS256", "ES256", ["HS256"], None, 1, {})
        for signature in (b"", b"x" * 32)
    )
    yield jwt.encode(claims, "f" * 64, algorithm="HS512", headers={"kid": KID})
    yield from (
        signed(claims, key, **header)
        for key in ("f" * 48, "/dev/null" + "\0" * 32)
        for header in (
            {},
            {"kid": "/dev/null"},
            {"kid": "../../../../dev/null"},
            {"kid": "x' UNION SELECT 'a"},
            {"kid": ""},
            {"jku": "http://127.0.0.1:9/keys.json"},
            {"x5u": "http://127.0.0.1:9/cert.pem"},
            {"jwk": {"kty": "oct", "k": part(b"f" * 48)}},
            {"x5c": ["MIIB"]},
            {"crit": ["exp"]},
        )
    )
    # Our own key, and still no token of ours: a header may not say more than ours do.
    yield from (
        signed(claims, **header)
        for header in ({"jku": "x"}, {"crit": []}, {"zip": "DEF"}, {"kid": "0" * 16})
    )
    for name in ("exp", "jti", "aud", "iss", "token_type"):
        yield signed(without(name))
    for changes in ({"exp": 1}, {"nbf": 2**33}, {"aud": "other"}, {"jti": "x" * 32}, {"exp": "a"}):
        yield signed({**claims, **changes})
    yield from ("x" * 8192, "a.b.c", "..", "é.é.é", "\x7f", "null", "[]")


def test_a01_refuses_every_wrong_token_alike(api, session, monkeypatch):
    claims = jwt.decode(tokens.issue(session), options={"verify_signature": False})
    candidates = list(wrong(claims))
    touched = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: touched.append("network"))
    real = builtins.open
    monkeypatch.setattr(builtins, "open", lambda *a, **o: (touched.append(a), real(*a, **o))[1])

    answers = [api.get("/auth/session", authorization=f"Bearer {one}") for one in candidates]

    assert touched == []
    assert len(candidates) > 60
    told = {(one.status_code, one["WWW-Authenticate"], body(one)) for one in answers}
    assert told == {(401, 'Bearer realm="chatsite"', body(api.get("/auth/session")))}


def test_a01_takes_no_token_from_the_query(api, session):
    token = tokens.issue(session)

    for path in ("/auth/session", "/chat/history", "/chat/events"):
        response = api.get(f"{path}?token={token}&access_token={token}&authorization=Bearer%20x")
        assert response.status_code == 401


def body(response):
    found = json.loads(response.content)
    found.pop("request_id")
    return json.dumps(found)
