"""chatsite.core.checks: keys that anyone could guess are refused in production, by name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite import env
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


@pytest.mark.parametrize(("algorithm", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_asks_for_keys_as_long_as_the_hash_when_tokens_are_signed(production, algorithm, least):
    production.JWT_ALGORITHM, production.JWT_SECRET_KEY = algorithm, "k" * least
    checks.refuse_weak_keys()

    production.JWT_SECRET_KEY = "k" * (least - 1)
    with pytest.raises(SystemExit, match=f"JWT_SECRET_KEY .* {least} bytes"):
        checks.refuse_weak_keys()


@pytest.mark.parametrize("previous", [["short"], ["p" * 48, "x" * 31]])
def test_refuses_to_start_when_a_previous_key_is_weak(production, previous):
    production.JWT_PREVIOUS_KEYS = previous

    with pytest.raises(SystemExit, match="JWT_PREVIOUS_KEYS"):
        checks.refuse_weak_keys()


def test_refuses_to_start_when_a_previous_key_serves_another_purpose(production):
    production.JWT_PREVIOUS_KEYS = [production.EMAIL_HASH_KEY]

    with pytest.raises(SystemExit, match="same"):
        checks.refuse_weak_keys()


def test_only_warns_when_it_is_development(settings):
    settings.DEBUG, settings.JWT_SECRET_KEY = True, "short"

    assert [found.is_serious() for found in checks.check_secrets()] == [False]
    checks.refuse_weak_keys()


def test_refuses_to_start_when_the_figures_would_take_the_port_of_the_api(settings):
    settings.METRICS_PORT = settings.PORT = 8000

    (found,) = checks.check_ports()

    assert (found.id, found.is_serious()) == ("chatsite.E004", True)
    with pytest.raises(SystemExit, match="METRICS_PORT and PORT are both 8000"):
        checks.refuse_one_port_for_two()


@pytest.mark.parametrize(("port", "metrics"), [(8000, 0), (8000, 9100), (0, 0)])
def test_starts_when_the_figures_have_a_port_of_their_own_or_none(settings, port, metrics):
    settings.PORT, settings.METRICS_PORT = port, metrics

    assert checks.check_ports() == []
    checks.refuse_one_port_for_two()


@pytest.mark.parametrize(
    "command",
    [("-m", "gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi"), ("manage.py", "up")],
    ids=["web", "up"],
)
def test_says_one_line_when_a_process_is_to_serve_both_at_one_port(command):
    run = subprocess.run(
        [sys.executable, *command],
        cwd=env.BASE_DIR,
        env={**os.environ, "PORT": "18123", "METRICS_PORT": "18123"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 1
    assert "METRICS_PORT and PORT are both 18123" in run.stderr
    assert "Traceback" not in run.stderr
