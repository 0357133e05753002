"""The one reader of the environment: every setting is declared here by name, default and effect."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

from chatsite.core import rates

T = TypeVar("T")

BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting of the environment, as docs/configuration.md lists it."""

    name: str
    default: str
    effect: str
    kind: str


DECLARED: dict[str, Declared] = {}

_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


def load_dotenv(path: Path) -> None:
    """Add what `path` says to the environment; what is set there already wins."""
    if path.is_file():
        environ.Env.read_env(str(path), overwrite=False)


def text(name: str, default: str, effect: str) -> str:
    """The setting as text."""
    return _declare(name, default, effect, "text", str)


def secret(name: str, effect: str) -> str:
    """The setting as text, empty when unset; `NAME_FILE` may name a file that holds it."""
    _remember(Declared(name, "", effect, "secret"))
    return os.environ.get(name, "").strip() or _from_file(name)


def secrets(name: str, effect: str) -> list[str]:
    """The setting as several secrets, separated by commas or white space."""
    return secret(name, effect).replace(",", " ").split()


def integer(name: str, default: int, effect: str, *, at_least: int = 0) -> int:
    """The setting as a whole number, not below `at_least`."""

    def parse(raw: str) -> int:
        number = int(raw)
        if number < at_least:
            raise ValueError(f"must be at least {at_least}")
        return number

    return _declare(name, str(default), effect, "integer", parse)


def number(name: str, default: float, effect: str) -> float:
    """The setting as a number that is not negative."""

    def parse(raw: str) -> float:
        value = float(raw)
        if not 0 <= value < float("inf"):
            raise ValueError("must be a finite number, not negative")
        return value

    return _declare(name, str(default), effect, "number", parse)


def mail(name: str, effect: str) -> dict[str, Any]:
    """The setting as Django's EMAIL_… settings; it may hold a password, and come from a file."""
    url = secret(name, effect)
    try:
        return dict(environ.Env.email_url_config(url or "consolemail://"))
    except (ValueError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} is no URL of a mail server: {error}") from error


def rate(name: str, default: str, effect: str) -> str:
    """The setting as a number of times in a period: `10/minute`, `5/2h`."""

    def parse(raw: str) -> str:
        rates.seconds(raw)
        return raw

    return _declare(name, default, effect, "rate", parse)


def switch(name: str, default: bool, effect: str) -> bool:
    """The setting as on or off."""

    def parse(raw: str) -> bool:
        word = raw.strip().lower()
        if word not in _TRUE | _FALSE:
            raise ValueError("must be on or off")
        return word in _TRUE

    return _declare(name, "on" if default else "off", effect, "switch", parse)


def words(name: str, default: str, effect: str) -> list[str]:
    """The setting as a list, separated by commas."""
    return _declare(
        name, default, effect, "list", lambda raw: [w.strip() for w in raw.split(",") if w.strip()]
    )


def one_of(name: str, default: str, choices: tuple[str, ...], effect: str) -> str:
    """The setting as one of `choices`."""

    def parse(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return raw

    return _declare(name, default, effect, " or ".join(choices), parse)


def database(name: str, default: str, effect: str) -> dict[str, Any]:
    """The setting as an entry of Django's DATABASES."""
    return _declare(name, default, effect, "URL", environ.Env.db_url_config)


def _declare(name: str, default: str, effect: str, kind: str, parse: Callable[[str], T]) -> T:
    _remember(Declared(name, default, effect, kind))
    raw = os.environ.get(name)
    try:
        return parse(raw or default)
    except (ValueError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name}={raw!r}: {error}") from error


def _remember(declared: Declared) -> None:
    DECLARED[declared.name] = declared


def is_set(name: str) -> bool:
    """Whether the environment, or `.env`, says anything of this setting."""
    return bool(os.environ.get(name) or _from_file(name))


def _from_file(name: str) -> str:
    """What the file says that `NAME_FILE` names; empty where none is named."""
    path = os.environ.get(f"{name}_FILE")
    try:
        return Path(path).read_text(encoding="utf-8").strip() if path else ""
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from error
