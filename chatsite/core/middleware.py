"""The API's own middleware, native to async: the request's id, log line, errors and headers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, cast

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from chatsite.core import client, errors, logs, metrics, pages, ratelimit

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class Middleware:
    """What a middleware needs to run in both worlds without a hop between threads."""

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if iscoroutinefunction(self):
            return self._call(request)
        self.before(request)
        return self.after(request, cast("HttpResponseBase", self.get_response(request)))

    async def _call(self, request: HttpRequest) -> HttpResponseBase:
        self.before(request)
        found = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        return self.after(request, found)

    def before(self, request: HttpRequest) -> None:
        """What is done with the request on its way in."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """What is done with the response on its way out."""
        return response


class RequestContextMiddleware(Middleware):
    """Gives a request its id, its log line, and a problem body when it fails."""

    def before(self, request: HttpRequest) -> None:
        """Name the request for everything that is logged below."""
        request.request_id = client.request_id(request)  # type: ignore[attr-defined]
        request.began = time.perf_counter()  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        logs.bind(request_id=request.request_id)  # type: ignore[attr-defined]

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Answer with the id and the length, and log one line."""
        if isinstance(response, HttpResponse) and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        for name, value in ratelimit.headers(request).items():
            response.headers.setdefault(name, value)
        took = time.perf_counter() - request.began  # type: ignore[attr-defined]
        metrics.answered(request, response, took)
        if not request.path.startswith(("/health", "/static/")):
            log.info(
                "request",
                method=request.method,
                path=request.path[:200],
                status=response.status_code,
                ms=round(took * 1000, 1),
            )
        return response

    def process_exception(self, request: HttpRequest, raised: Exception) -> HttpResponseBase | None:
        """The problem body of what no view caught; the admin keeps its own pages."""
        problem = errors.from_exception(raised)
        if problem is None or problem.status >= 500:
            log.error("request failed", path=request.path[:200], exc_info=raised)
        if pages.is_page(request):
            return None
        return errors.response(request, problem or errors.Problem())


class SecurityHeadersMiddleware(Middleware):
    """The headers of every response; pages get their content policy from django-csp."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add what is not there yet."""
        headers = response.headers
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "DENY"
        headers["Server"] = "chatsite"  # else the server names itself and its kind
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            headers["Strict-Transport-Security"] = (
                f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
            )
        if request.path.startswith("/static/"):
            return response
        headers.setdefault("Cache-Control", "no-store")
        if not pages.is_page(request):
            headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return response
