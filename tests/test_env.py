"""chatsite.env: settings are read strictly, and what cannot be read is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite import env


@pytest.fixture(autouse=True)
def _leave_declared_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "DECLARED", dict(env.DECLARED))


@pytest.mark.parametrize(("raw", "value"), [("on", True), ("TRUE", True), ("0", False), ("", True)])
def test_reads_a_switch_when_it_is_one(monkeypatch, raw, value):
    monkeypatch.setenv("X_SWITCH", raw)

    assert env.switch("X_SWITCH", True, "Effect.") is value
    assert env.DECLARED["X_SWITCH"].default == "on"


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (lambda: env.switch("X", False, "E."), "maybe"),
        (lambda: env.integer("X", 1, "E."), "1.5"),
        (lambda: env.rate("X", "1/m", "E."), "often"),
        (lambda: env.integer("X", 1, "E.", at_least=1), "0"),
        (lambda: env.number("X", 1.0, "E."), "-1"),
        (lambda: env.number("X", 1.0, "E."), "inf"),
        (lambda: env.number("X", 1.0, "E."), "nan"),
        (lambda: env.one_of("X", "a", ("a", "b"), "E."), "c"),
    ],
)
def test_names_the_setting_when_it_cannot_be_read(monkeypatch, read, raw):
    monkeypatch.setenv("X", raw)

    with pytest.raises(ImproperlyConfigured, match=r"^X="):
        read()


def test_splits_words_when_there_are_commas(monkeypatch):
    monkeypatch.setenv("X", " a, ,b ")

    assert env.words("X", "", "E.") == ["a", "b"]


def test_reads_a_secret_from_its_file_when_only_that_is_set(monkeypatch, tmp_path: Path):
    (tmp_path / "key").write_text("from-the-file\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "key"))

    assert env.secret("X", "E.") == "from-the-file"
    monkeypatch.setenv("X", "from-the-environment")
    assert env.secret("X", "E.") == "from-the-environment"


def test_names_the_setting_when_the_secrets_file_is_not_there(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("X_FILE", str(tmp_path / "none"))

    with pytest.raises(ImproperlyConfigured, match="X_FILE"):
        env.secret("X", "E.")


def test_lets_the_environment_win_when_a_dotenv_says_otherwise(monkeypatch, tmp_path: Path):
    (tmp_path / ".env").write_text("X_ONE=file\nX_TWO=file\n")
    monkeypatch.setenv("X_ONE", "environment")
    monkeypatch.setenv("X_TWO", "")
    monkeypatch.delenv("X_TWO")

    env.load_dotenv(tmp_path / ".env")
    env.load_dotenv(tmp_path / "none")

    assert env.text("X_ONE", "", "E.") == "environment"
    assert env.text("X_TWO", "", "E.") == "file"


def test_says_whether_a_setting_is_set(monkeypatch):
    monkeypatch.delenv("X", raising=False)
    assert not env.is_set("X")
    monkeypatch.setenv("X", "1")
    assert env.is_set("X")


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        ("", "django.core.mail.backends.console.EmailBackend"),
        (
            "smtp+tls://user:word@mail.example.com",
            "django.core.mail.backends.smtp.EmailBackend",
        ),
    ],
)
def test_reads_the_mail_server_when_it_is_set(monkeypatch, url, backend):
    monkeypatch.setenv("MAIL", url)

    found = env.mail("MAIL", "…")

    assert found["EMAIL_BACKEND"] == backend
    if url:
        assert (found["EMAIL_HOST"], found["EMAIL_USE_TLS"]) == ("mail.example.com", True)


def test_names_the_setting_when_the_mail_server_is_none(monkeypatch):
    monkeypatch.setenv("MAIL", "gopher://mail.example.com")

    with pytest.raises(ImproperlyConfigured, match="MAIL"):
        env.mail("MAIL", "…")


def test_reads_several_secrets_when_they_are_separated(monkeypatch):
    monkeypatch.setenv("X", "one, two\nthree")

    assert env.secrets("X", "E.") == ["one", "two", "three"]
    monkeypatch.setenv("X", "")
    assert env.secrets("X", "E.") == []


@pytest.mark.parametrize(("content", "is_set"), [("a secret", True), ("\n", False), ("", False)])
def test_takes_an_empty_file_for_nothing_said(monkeypatch, tmp_path: Path, content, is_set):
    monkeypatch.delenv("X", raising=False)
    (tmp_path / "x").write_text(content)
    monkeypatch.setenv("X_FILE", str(tmp_path / "x"))

    assert env.is_set("X") is is_set
