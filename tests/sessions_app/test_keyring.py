"""keyring.py: rotating the key that signs visitors' tokens."""

import jwt
import pytest
from django.conf import settings as django_settings

from sessions_app import identity, keyring, tokens
from tests.support import problem

pytestmark = pytest.mark.django_db

OLD = django_settings.JWT_SECRET_KEY
NEW, THIRD = "new-jwt-key-" + "n" * 40, "third-jwt-key-" + "t" * 40


def use(api, token):
    return api.get("/auth/session", authorization=f"Bearer {token}")


def rotate(settings, key, *previous):
    settings.JWT_SECRET_KEY, settings.JWT_PREVIOUS_KEYS = key, list(previous)


def test_names_the_key_and_not_the_secret_when_it_signs(session):
    header = jwt.get_unverified_header(tokens.issue(session))

    assert header == {"alg": "HS256", "typ": "JWT", "kid": keyring.kid(OLD)}
    assert len(keyring.kid(OLD)) == 16
    assert keyring.kid(OLD) != keyring.kid(NEW)


def test_takes_tokens_of_the_previous_key_when_it_was_rotated(api, session, settings):
    before = tokens.issue(session)
    rotate(settings, NEW, OLD)
    after = tokens.issue(session)

    assert use(api, before).status_code == use(api, after).status_code == 200
    assert jwt.get_unverified_header(after)["kid"] == keyring.kid(NEW)


def test_takes_tokens_of_a_key_to_come_when_others_sign_with_it_already(api, session, settings):
    """Processes are restarted one after the other: first they learn to verify the new key."""
    rotate(settings, NEW, OLD)
    early = tokens.issue(session)
    rotate(settings, OLD, NEW)

    assert use(api, early).status_code == 200


def test_refuses_tokens_of_a_key_when_it_was_dropped(api, session, settings):
    before = tokens.issue(session)
    rotate(settings, THIRD, NEW)

    problem(use(api, before), 401, "invalid_token")


def test_refuses_a_previous_key_when_the_token_names_another(api, session, settings):
    rotate(settings, NEW, OLD)
    claims = jwt.decode(tokens.issue(session), options={"verify_signature": False})

    forged = jwt.encode(claims, OLD, headers={"kid": keyring.kid(NEW)})

    problem(use(api, forged), 401, "invalid_token")


def test_takes_a_token_without_kid_only_when_the_first_key_signed_it(api, session, settings):
    rotate(settings, NEW, OLD)
    claims = jwt.decode(tokens.issue(session), options={"verify_signature": False})

    assert use(api, jwt.encode(claims, NEW)).status_code == 200
    problem(use(api, jwt.encode(claims, OLD)), 401, "invalid_token")


def test_keeps_what_stands_for_addresses_when_the_key_was_rotated(settings):
    before = identity.email_hash("ann@example.com")
    rotate(settings, NEW, OLD)

    assert identity.email_hash("ann@example.com") == before
