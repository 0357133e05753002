"""The middleware of pages (admin, docs), which steps aside for the API.

Under ASGI each of these costs the API two hops between threads; measured, the usual ten halve its
throughput (ADR 0003)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from asgiref.sync import sync_to_async
from csp import middleware as csp
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import common, csrf
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware


def is_page(request: HttpRequest) -> bool:
    """Whether the request is for a page that people open, not for the API."""
    path = request.path_info
    return path in settings.PAGE_PATHS or path.startswith(settings.PAGE_PREFIXES)


class _PassedByApi(MiddlewareMixin):
    """A middleware that the API's requests pass by, and with it all of these below it.

    Django wraps each in a coroutine of its own, and whoever waits would hold them all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        below = getattr(get_response, "__wrapped__", None)
        self._api: Callable[[HttpRequest], Any] = (
            below._api if isinstance(below, _PassedByApi) else get_response
        )

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_mine(request):
            return super().__call__(request)
        return self.get_response(request) if is_page(request) else self._api(request)

    def is_mine(self, request: HttpRequest) -> bool:
        """Whether it is this middleware's to look at."""
        return is_page(request)


class SessionMiddleware(_PassedByApi, sessions.SessionMiddleware):
    """Django's, for pages only."""


class CommonMiddleware(_PassedByApi, common.CommonMiddleware):
    """Django's, for pages only."""


class AuthenticationMiddleware(_PassedByApi, auth.AuthenticationMiddleware):
    """Django's, for pages only."""


class MessageMiddleware(_PassedByApi, messages.MessageMiddleware):
    """Django's, for pages only."""


class CSPMiddleware(_PassedByApi, csp.CSPMiddleware):
    """django-csp's, for pages only."""


class CsrfViewMiddleware(_PassedByApi, csrf.CsrfViewMiddleware):
    """Django's, for pages only: the API knows no cookies."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if self.async_mode:  # else Django would call it on a thread, for every request
            self.process_view = self._process_view  # type: ignore[method-assign]

    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        """Check the form's token, of pages."""
        return super().process_view(request, *args) if is_page(request) else None

    async def _process_view(self, request: HttpRequest, *args: Any) -> Any:
        if is_page(request):
            return await sync_to_async(super().process_view)(request, *args)
        return None


class StaticFilesMiddleware(_PassedByApi):
    """WhiteNoise for STATIC_URL; it knows no async, so nothing else may pass through it."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self._serve = WhiteNoiseMiddleware(lambda _request: cast("Any", None))

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:
        """The file, if there is one."""
        return cast("HttpResponseBase | None", self._serve(request))

    def is_mine(self, request: HttpRequest) -> bool:
        """Whether the request is for a file."""
        return request.path_info.startswith(settings.STATIC_URL)
