"""The admin's site: its name, and a sign-in that is limited and logged."""

from __future__ import annotations

import hashlib
from typing import Any

import structlog
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from chatsite.core import client, ratelimit
from chatsite.core.errors import Problem

log = structlog.get_logger(__name__)

# By name too, since addresses are cheap; generous, since it also locks the person out.
_TRIES_OF_A_NAME = "30/hour"


class ConsoleSite(admin.AdminSite):
    """Django's admin as staff see it."""

    site_header = site_title = "Chatsite"
    index_title = "Everything"
    site_url = None
    enable_nav_sidebar = False

    def index(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Where staff begin: the conversations, for whom may read them; else the models."""
        is_reader = request.user.has_perm("sessions_app.view_chatsession")
        if is_reader and "everything" not in request.GET:
            return HttpResponseRedirect(reverse("admin:sessions_app_chatsession_changelist"))
        return super().index(request, extra_context)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The sign-in page; too many tries are answered 429 before a password is looked at."""
        if request.method != "POST":
            return super().login(request, extra_context)
        try:
            _count(request)
        except Problem as problem:
            log.warning("staff sign-in limited", address=client.address(request))
            return self._refuse(request, problem)
        return super().login(request, extra_context)

    def _refuse(self, request: HttpRequest, problem: Problem) -> HttpResponse:
        return TemplateResponse(
            request,
            "admin/console/refused.html",
            {**self.each_context(request), "problem": problem, "title": problem.title},
            status=problem.status,
            headers=problem.headers,
        )


def _count(request: HttpRequest) -> None:
    address = client.network(client.address(request))
    name = hashlib.sha256(request.POST.get("username", "").strip().lower().encode()).hexdigest()
    ratelimit.enforce(
        request,
        ratelimit.Limit("admin-login", address, settings.ADMIN_LOGIN_RATE_LIMIT),
        ratelimit.Limit("admin-login-name", name, _TRIES_OF_A_NAME),
    )


def _signed_in(request: HttpRequest, user: Any, **_: Any) -> None:
    log.info("staff signed in", user=user.pk, address=client.address(request))


def _signed_out(request: HttpRequest, user: Any, **_: Any) -> None:
    log.info("staff signed out", user=getattr(user, "pk", None))


def _failed(request: HttpRequest | None = None, **_: Any) -> None:
    # Not the name: people type passwords there.
    log.warning("staff sign-in failed", address=client.address(request) if request else "")


user_logged_in.connect(_signed_in, dispatch_uid="console")
user_logged_out.connect(_signed_out, dispatch_uid="console")
user_login_failed.connect(_failed, dispatch_uid="console")
