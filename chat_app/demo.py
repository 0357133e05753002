"""The demo page at `/`: a small shop with the widget, for trying the product; off in production."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chatsite.core import errors


def shop(request: HttpRequest) -> HttpResponse:
    """The shop, or 404 where DEMO_PAGE is off."""
    if not settings.DEMO_PAGE:
        return errors.response(request, errors.NotFound())
    if request.method not in {"GET", "HEAD"}:
        return errors.response(request, errors.MethodNotAllowed())
    return render(request, "demo/shop.html")
