"""chatsite.core.checks: keys that anyone could guess are refused in production, by name."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite.core import checks


@pytest.fixture
def production(settings):
    settings.DEBUG = False
    return settings


def test_finds_nothing_when_the_keys_are_good(production):
    assert checks.check_secrets() == []
    checks.refuse_weak_keys()


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY", "EMAIL_HASH_KEY"])
@pytest.mark.parametrize("key", ["", "short", "x" * 31])
def test_refuses_to_start_when_a_key_is_weak(production, name, key):
    setattr(production, name, key)

    # Django itself refuses an empty SECRET_KEY, and names it too.
    with pytest.raises((SystemExit, ImproperlyConfigured), match=name):
        checks.refuse_weak_keys()


def test_refuses_to_start_when_two_keys_are_the_same(production):
    production.JWT_SECRET_KEY = production.EMAIL_HASH_KEY

    with pytest.raises(SystemExit, match="same"):
        checks.refuse_weak_keys()


def test_only_warns_when_it_is_development(settings):
    settings.DEBUG, settings.JWT_SECRET_KEY = True, "short"

    assert [found.is_serious() for found in checks.check_secrets()] == [False]
    checks.refuse_weak_keys()
