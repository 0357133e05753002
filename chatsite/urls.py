"""All routes."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from chat_app import assets, demo
from chatsite import health
from chatsite.core import errors


def not_found(request: HttpRequest) -> HttpResponse:
    """The last route: a problem body for every path that is none."""
    return errors.response(request, errors.NotFound())


urlpatterns = [
    path("auth/", include("sessions_app.urls")),
    path("chat", include("chat_app.urls")),
    path("health", health.health, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("admin/", admin.site.urls),
    path("", demo.shop, name="demo"),
    path("widget.json", assets.preferences, name="widget-preferences"),
    re_path(
        r"^(?P<name>(?:widget|client)(?:/[a-z.-]+)?\.(?:js|d\.ts))$", assets.script, name="script"
    ),
    re_path("", not_found),
]
