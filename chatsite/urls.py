"""All routes."""

import functools
from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import include, path, re_path
from django.views import defaults

from chat_app import assets, demo
from chatsite import health
from chatsite.core import errors, pages


def not_found(request: HttpRequest) -> HttpResponse:
    """The last route: a problem body for every path that is none."""
    return errors.response(request, errors.NotFound())


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What no route takes, not even the last: `OPTIONS *`, `GET http://elsewhere/`."""
    if pages.is_page(request):
        return defaults.page_not_found(request, exception)
    return not_found(request)


def handler500(request: HttpRequest) -> HttpResponse:
    """A fault outside of the views."""
    if pages.is_page(request):
        return defaults.server_error(request)
    return errors.response(request, errors.Problem())


def _read_only(view: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view for GET and HEAD, and 405 for the rest: DRF cannot render OPTIONS as a page."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request)
        return errors.response(request, errors.MethodNotAllowed(headers={"Allow": "GET, HEAD"}))

    return wrapper


@_read_only
def schema(request: HttpRequest) -> HttpResponseBase:
    """The OpenAPI document.

    drf-spectacular is imported when it is asked for: it brings Django's test client and a template
    engine, memory that a web process which never shows its schema does not carry.
    """
    from drf_spectacular.views import SpectacularAPIView

    return SpectacularAPIView.as_view()(request)


@_read_only
def docs(request: HttpRequest) -> HttpResponseBase:
    """The page to try it."""
    from drf_spectacular.views import SpectacularSwaggerSplitView

    return SpectacularSwaggerSplitView.as_view(url_name="schema")(request)


urlpatterns = [
    path("auth/", include("sessions_app.urls")),
    path("chat", include("chat_app.urls")),
    path("health", health.health, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("api/schema", schema, name="schema"),
    path("api/docs", docs, name="docs"),
    path("admin/", admin.site.urls),
    path("", demo.shop),
    path("widget.json", assets.preferences, name="widget-preferences"),
    re_path(r"^(?P<name>(?:widget|client)(?:/[a-z.-]+)?\.(?:js|d\.ts))$", assets.script),
    re_path("", not_found),
]
