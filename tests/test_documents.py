"""The documents say what the code does: settings, endpoints, error codes, schema."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

from chatsite import env
from chatsite.core.errors import Problem
from chatsite.management.commands.document_settings import table

DOCS = env.BASE_DIR / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")


def _problems(base: type[Problem] = Problem) -> set[type[Problem]]:
    own = {base} if "code" in vars(base) else set()
    return own.union(*(_problems(kind) for kind in base.__subclasses__()))


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += [] if pattern.app_name else _routes(pattern.url_patterns, route)
        elif pattern.name:
            found.append("/" + re.sub(r"<\w+:\w+>", "{id}", route))
    return found


def test_configuration_is_current() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == table(), "run: make docs"


def test_schema_is_current(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    committed = (DOCS / "openapi.yml").read_text(encoding="utf-8")
    assert made.read_text(encoding="utf-8") == committed, "run: make docs"


@pytest.mark.parametrize("route", _routes(get_resolver().url_patterns))
def test_api_document_names_the_route(route: str) -> None:
    assert re.search(rf"{re.escape(route)}(?![\w/{{])", API)


@pytest.mark.parametrize("kind", sorted(_problems(), key=lambda kind: kind.code))
def test_api_document_names_the_error_code(kind: type[Problem]) -> None:
    line = next((line for line in API.splitlines() if f"`{kind.code}`" in line), "")
    assert str(kind.status) in line


def test_every_setting_says_what_it_does() -> None:
    assert [one.name for one in env.DECLARED.values() if not one.effect.endswith(".")] == [
        "DATABASE_URL"
    ]


def test_settings_are_printed_as_the_document() -> None:
    out = io.StringIO()
    call_command("document_settings", stdout=out)
    assert out.getvalue() == table()
