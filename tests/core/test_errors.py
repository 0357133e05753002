"""Errors over HTTP: always one problem body, never a page and never a stack."""

import re

import pytest
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf

from chatsite.core import errors
from tests.support import problem

HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(params=[True, False], ids=["debug", "no-debug"], autouse=True)
def _debug(request, settings):
    settings.DEBUG = request.param


@pytest.mark.parametrize(
    "path", ["/nothing", "/chat/", "/auth", "/auth/email/", "/a%00b", "/nothing//x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_says_not_found_when_no_route_fits(api, method, path):
    problem(api.call(method, path, **HTML), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/auth/email", {"POST", "OPTIONS"}),
        ("PUT", "/auth/email", {"POST", "OPTIONS"}),
        ("TRACE", "/auth/email", {"POST", "OPTIONS"}),
        ("PATCH", "/auth/session", {"GET", "DELETE", "OPTIONS"}),
        ("GET", "/chat", {"POST", "OPTIONS"}),
        ("POST", "/chat/history", {"GET", "OPTIONS"}),
        ("DELETE", "/chat/events", {"GET", "OPTIONS"}),
        ("PUT", "/chat/messages/x", {"GET", "OPTIONS"}),
        ("GET", "/chat/answers/x/stop", {"POST", "OPTIONS"}),
        ("BREW", "/chat", {"POST", "OPTIONS"}),
    ],
)
def test_names_what_is_allowed_when_the_method_is_not(visitor, method, path, allowed):
    response = visitor.call(method, path, **HTML)

    problem(response, 405, "method_not_allowed")
    assert {name.strip() for name in response["Allow"].split(",")} - {"HEAD"} == allowed


@pytest.mark.parametrize("path", ["/api/schema", "/api/docs"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_shows_the_schema_when_it_is_asked_for_anything(api, method, path):
    response = api.call(method, path, **HTML)

    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_overrides_no_method_when_a_header_asks_for_it(visitor):
    response = visitor.post("/auth/session", {}, x_http_method_override="DELETE")

    problem(response, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/auth/session?format=api", "/auth/session?format=html"])
def test_answers_json_when_another_format_is_asked(visitor, path):
    response = visitor.get(path, **HTML)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/auth/session", "/chat/history"])
def test_says_internal_error_when_a_fault_is_ours(visitor, monkeypatch, path):
    def fail(*_args, **_options):
        raise RuntimeError("secret words of a visitor")

    monkeypatch.setattr("sessions_app.selectors.find", fail)

    response = visitor.get(path, **HTML)

    problem(response, 500, "internal_error")
    assert b"secret" not in response.content
    assert b"RuntimeError" not in response.content


def test_says_internal_error_when_an_asynchronous_view_fails(visitor, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("secret")

    monkeypatch.setattr("chat_app.services.post_message", fail)

    problem(visitor.ask("Hello?", **HTML), 500, "internal_error")


@pytest.mark.parametrize("raised", [OperationalError("secret"), InterfaceError("secret")])
def test_says_unavailable_when_the_database_is_away(visitor, monkeypatch, raised):
    def fail(*_args, **_options):
        raise raised

    monkeypatch.setattr("sessions_app.selectors.find", fail)

    response = visitor.leave("Hello?")

    problem(response, 503, "unavailable")
    assert response["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (Http404(), "not_found"),
        (drf.NotFound(), "not_found"),
        (PermissionDenied(), "forbidden"),
        (drf.PermissionDenied(), "forbidden"),
        (BadRequest(), "invalid_input"),
        (SuspiciousOperation(), "invalid_input"),
        (drf.ParseError(), "invalid_input"),
        (errors.PayloadTooLarge(), "payload_too_large"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_knows_the_problem_when_an_exception_is_one(raised, code):
    assert errors.from_exception(raised).code == code


@pytest.mark.parametrize("raised", [ValueError(), KeyError("x"), DataError()])
def test_knows_no_problem_when_the_fault_is_ours(raised):
    assert errors.from_exception(raised) is None


def test_names_nested_fields_when_they_are_wrong():
    found = errors.from_exception(
        drf.ValidationError({"a": [{"b": ["Wrong.", "Bad."]}], "non_field_errors": ["All."]})
    )

    assert found.errors == [
        {"field": "a.b", "code": "invalid", "detail": "Wrong."},
        {"field": "a.b", "code": "invalid", "detail": "Bad."},
        {"field": "", "code": "invalid", "detail": "All."},
    ]


def test_every_problem_has_a_code_of_its_own_that_the_documents_list():
    import chat_app.views  # noqa: F401  (every class of problem is known then)

    def kinds(base):
        for kind in base.__subclasses__():
            yield kind
            yield from kinds(kind)

    found = [kind for kind in kinds(errors.Problem) if "code" in vars(kind)]
    codes = [kind.code for kind in found]

    assert len(set(codes)) == len(codes)
    assert {(kind.code, kind.status) for kind in found} | {("internal_error", 500)} == _listed()


def _listed():
    """The codes and statuses of the table in docs/api.md."""
    text = (settings.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*`) \| (\d{3}) \|", text.partition("## Errors")[2], re.MULTILINE)
    return {(code, int(status)) for names, status in rows for code in re.findall(r"`(\w+)`", names)}
