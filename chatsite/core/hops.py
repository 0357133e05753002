"""Views on threads: how a viewset's synchronous view is reached from the event loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response


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
    made = HttpResponse(response.content, status=response.status_code, headers=response.headers)
    if not response.has_header("Content-Type"):
        del made["Content-Type"]
    return made
