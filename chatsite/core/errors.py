"""One error body for everything: problems of RFC 9457, raised anywhere, rendered here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import structlog
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions as drf

from chatsite.core import metrics
from chatsite.core.postgresql import states

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """What a caller is told went wrong: a stable `code`, a status, a sentence, maybe headers."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.headers = dict(headers or {})


class InvalidInput(Problem):
    code, status, title = "invalid_input", 400, "The request is not valid"


class NotFound(Problem):
    code, status, title = "not_found", 404, "There is nothing here"


class MethodNotAllowed(Problem):
    code, status, title = "method_not_allowed", 405, "This method is not supported here"


class PayloadTooLarge(Problem):
    code, status, title = "payload_too_large", 413, "The request is larger than 64 KiB"


class RequestTimeout(Problem):
    code, status, title = "request_timeout", 408, "The body was too long in coming"


class UnsupportedMediaType(Problem):
    code, status, title = "unsupported_media_type", 415, "Send application/json in UTF-8"


class Forbidden(Problem):
    code, status, title = "forbidden", 403, "This is not allowed"


class Unavailable(Problem):
    """A part that the request needs is away; it is worth trying again."""

    code, status, title = "unavailable", 503, "The service is not available right now"

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


def response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as `application/problem+json`, with the request's id."""
    metrics.PROBLEMS.labels(problem.code).inc()
    body: dict[str, Any] = {
        "type": f"urn:chatsite:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": getattr(request, "request_id", ""),
    }
    if problem.errors:
        body["errors"] = problem.errors
    return JsonResponse(
        body, status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers
    )


def from_exception(raised: Exception) -> Problem | None:
    """The problem that `raised` is, or None where it is a fault of ours."""
    if isinstance(raised, Problem):
        return raised
    if isinstance(raised, drf.ValidationError):
        return InvalidInput(errors=list(_fields(raised.detail)))
    for kinds, problem in _KNOWN:
        if isinstance(raised, kinds):
            return problem()
    if states.of(raised) in states.AWAY:
        return Unavailable()
    return None


def exception_handler(raised: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER; what it does not know goes on to the middleware as a fault."""
    problem = from_exception(raised)
    if problem is None:
        return None
    answer = response(context["request"]._request, problem)
    if isinstance(raised, drf.MethodNotAllowed):
        answer["Allow"] = ", ".join(context["view"].allowed_methods)
    return answer


_KNOWN: tuple[tuple[tuple[type[Exception], ...], type[Problem]], ...] = (
    ((RequestDataTooBig,), PayloadTooLarge),
    ((drf.UnsupportedMediaType,), UnsupportedMediaType),
    ((drf.MethodNotAllowed,), MethodNotAllowed),
    ((drf.NotFound, Http404), NotFound),
    ((drf.PermissionDenied, PermissionDenied), Forbidden),
    ((drf.ParseError, BadRequest, SuspiciousOperation), InvalidInput),
    ((OperationalError, InterfaceError), Unavailable),
)


def _fields(detail: Any, path: str = "") -> Iterable[dict[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _fields(inner, f"{path}.{own}".strip("."))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _fields(inner, path)
    else:
        code = str(getattr(detail, "code", "invalid"))
        yield {"field": path, "code": code, "detail": str(detail)}
