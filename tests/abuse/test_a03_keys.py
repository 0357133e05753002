"""A3: with a weak or missing key no process starts in production, and each says which setting."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from chatsite import env

_GOOD = {
    "SECRET_KEY": "a" * 48,
    "JWT_SECRET_KEY": "b" * 48,
    "EMAIL_HASH_KEY": "c" * 48,
    "JWT_PREVIOUS_KEYS": "",
}
_WEAK = [
    ("JWT_SECRET_KEY", ""),
    ("JWT_SECRET_KEY", "x" * 31),
    ("SECRET_KEY", "short"),
    ("EMAIL_HASH_KEY", ""),
    ("JWT_PREVIOUS_KEYS", "d" * 48 + ",short"),
]
_WEB = ("gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi")
_CELERY = ("celery", "-A", "chatsite.celery")
_PROCESSES = [
    ("-m", *_WEB),
    ("-m", *_CELERY, "worker", "-Q", "replies", "-I", "sessions_app.tasks", "-P", "solo"),
    # It removes what is no schedule of its own: once that was /dev/null.
    ("-m", *_CELERY, "beat", "-s", "{folder}/beat"),
    ("manage.py", "discord_bot"),
    ("manage.py", "migrate"),
]


def start(folder, arguments, name, key):
    chosen = {**_GOOD, name: key, "DEBUG": "off", "PORT": "0", "LLM_MODEL": "openai/x"}
    given = {**os.environ, "REDIS_URL": settings.REDIS_URL, "DATABASE_URL": "sqlite://:memory:"}
    return subprocess.run(
        [sys.executable, *(one.format(folder=folder) for one in arguments)],
        cwd=env.BASE_DIR,
        env={**given, **chosen},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a03_refuses_to_start_when_a_key_is_weak(tmp_path):
    """Each process meets another weak key; that each key is seen tests/core/test_checks.py says."""
    cases = [(one, *_WEAK[n % len(_WEAK)]) for n, one in enumerate(_PROCESSES)]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda case: start(tmp_path, *case), cases))

    for (arguments, name, _), run in zip(cases, runs, strict=True):
        said = run.stdout + run.stderr
        assert run.returncode != 0, arguments
        assert name in said, (arguments, said)
        assert "x" * 31 not in said, "a key is never shown"
