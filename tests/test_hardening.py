"""What is promised of the project as a whole: its settings, its lock files, its exceptions."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys

import pytest

from chatsite import env

LOCKS = sorted(env.BASE_DIR.glob("requirements*.txt"))
CODE = sorted(
    path
    for folder in ("chatsite", "chat_app", "sessions_app", "notifications", "scripts", "benchmarks")
    for path in (env.BASE_DIR / folder).rglob("*.py")
)


def test_has_no_warning_when_production_is_checked(tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}},
        **{name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "JWT_SECRET_KEY")},
        "EMAIL_HASH_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": f"sqlite:///{tmp_path}/chat.sqlite3",
        "LLM_MODEL": "openai/any",
        "LLM_API_BASE": "https://provider.example/v1",
        "ALLOWED_HOSTS": "chat.example.com",
        "REDIS_URL": os.environ["REDIS_URL"],
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    run = subprocess.run(
        command, cwd=env.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_is_pinned_with_a_hash_when_it_is_a_requirement(lock):
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^ *#.*\n", "", lock.read_text(encoding="utf-8")))

    for entry in filter(None, map(str.strip, entries)):
        assert re.match(r"[\w.-]+(\[[\w, -]+\])?==[\w.!+]+( ;[^\\]*)? \\\n", entry), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:80]
        assert "://" not in entry


def test_has_three_lock_files():
    assert [lock.name for lock in LOCKS] == [
        *("requirements-dev.txt", "requirements-local.txt", "requirements.txt"),
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_keeps_the_extras_that_are_asked_for(lock):
    asked = lock.with_suffix(".in").read_text(encoding="utf-8")
    locked = lock.read_text(encoding="utf-8")

    # Without them pip, which then reads what the package asks for itself, looks for newer releases.
    for name, extras in re.findall(r"(?m)^([\w.-]+)\[([\w, -]+)\]", asked):
        found = re.search(rf"(?m)^{re.escape(name)}\[([\w, -]+)\]==", locked, re.IGNORECASE)
        assert found, name
        assert _names(extras) <= _names(found[1])


def test_keeps_the_extras_that_others_ask_for():
    locked = (env.BASE_DIR / "requirements-dev.txt").read_text(encoding="utf-8")

    assert "\ncoverage[toml]==" in locked  # pytest-cov's


def _names(extras):
    return {name.strip() for name in extras.split(",")}


def test_gives_a_reason_when_a_rule_of_security_is_set_aside():
    bare = [
        f"{path.relative_to(env.BASE_DIR)}:{number}"
        for path in CODE
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"noqa: *[A-Z0-9, ]*\bS\d{3}", line)
        and not re.search(r"noqa:.*\(\S.*\)", line)
    ]

    assert bare == []


def test_keeps_the_rules_of_security_on_in_the_product():
    text = (env.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8")
    selected = re.search(r"select = \[(.*?)\]", text, re.DOTALL)
    ignored = re.search(r"ignore = \[(.*?)\n\]", text, re.DOTALL)

    assert selected
    assert '"S"' in selected[1]
    assert ignored
    for line in ignored[1].splitlines():
        assert not re.search(r'"S\d*"', line) or "#" in line, line
