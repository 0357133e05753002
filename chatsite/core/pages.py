"""The middleware of pages (admin, docs), which steps aside for the API.

Under ASGI each of these costs the API two hops between threads; measured, the usual ten halve its
throughput (ADR 0003)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from csp import middleware as csp
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import common, csrf
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware


def is_page(request: HttpRequest) -> bool:
    """Whether the request is for a page that people open, not for the API."""
    path = request.path_info
    return path in settings.PAGE_PATHS or path.startswith(settings.PAGE_PREFIXES)


class _PagesOnly(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> Any:
        if not is_page(request):
            return self.get_response(request)
        return super().__call__(request)


class SessionMiddleware(_PagesOnly, sessions.SessionMiddleware):
    """Django's, for pages only."""


class CommonMiddleware(_PagesOnly, common.CommonMiddleware):
    """Django's, for pages only."""


class AuthenticationMiddleware(_PagesOnly, auth.AuthenticationMiddleware):
    """Django's, for pages only."""


class MessageMiddleware(_PagesOnly, messages.MessageMiddleware):
    """Django's, for pages only."""


class CSPMiddleware(_PagesOnly, csp.CSPMiddleware):
    """django-csp's, for pages only."""


class CsrfViewMiddleware(_PagesOnly, csrf.CsrfViewMiddleware):
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


@sync_and_async_middleware
def static_files(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """WhiteNoise for STATIC_URL; it knows no async, so nothing else may pass through it."""
    serve = WhiteNoiseMiddleware(lambda _request: cast("Any", None))

    if not iscoroutinefunction(get_response):

        def middleware(request: HttpRequest) -> Any:
            found = serve(request) if _is_static(request) else None
            return get_response(request) if found is None else found

        return middleware

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        found = await sync_to_async(serve)(request) if _is_static(request) else None
        if found is None:
            found = await get_response(request)
        return cast("HttpResponseBase", found)

    return async_middleware


def _is_static(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.STATIC_URL)
