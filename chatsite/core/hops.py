"""How what is synchronous, a viewset's view above all, is reached from the event loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response

P = ParamSpec("P")
R = TypeVar("R")


def beside(act: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """The function for what is no request's: nobody else tidies its thread's connection."""

    def tidily(*args: P.args, **options: P.kwargs) -> R:
        close_old_connections()
        try:
            return act(*args, **options)
        finally:
            close_old_connections()

    return sync_to_async(tidily)


def once(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """The view in one hop into a thread; Django takes another one to render what it answered."""

    @functools.wraps(view)
    async def wrapper(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        return await there(view, request, **parts)

    wrapper.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapper


@sync_to_async
def there(
    view: Callable[..., HttpResponseBase], request: HttpRequest, **parts: Any
) -> HttpResponseBase:
    """Call the view on the request's thread and render its response there."""
    response = view(request, **parts)
    return _plain(response) if isinstance(response, Response) else response


def _plain(response: Response) -> HttpResponseBase:
    """The response as bytes: a deferred one Django sends to a thread, rendered or not.

    One whose rest is to happen on the event loop has nothing to render, and stays what it is.
    """
    if hasattr(response, "go_on"):
        return response
    response.render()
    del response.renderer_context  # type: ignore[attr-defined]  # a circle: it holds the response
    made = HttpResponse(response.content, status=response.status_code, headers=response.headers)
    if not response.has_header("Content-Type"):
        del made["Content-Type"]
    return made
