"""The pages of conversations in the admin: the list, one conversation, and what is done there."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from chat_app import writing
from chat_app.console import acts, dashboard, exports, filters, following, listing, transcript
from chat_app.console.access import Viewer, actor, require, viewer
from chat_app.console.search import search
from chat_app.models import ChatMessage, Snippet
from chat_app.waiting import Continued, asynchronous
from chatsite.core.admin import ReadOnlyAdmin
from chatsite.core.errors import Problem
from sessions_app import staff as sessions
from sessions_app.models import Block, ChatSession

_EARLIER = 20
LIST = "admin:sessions_app_chatsession_changelist"
ONE = "admin:sessions_app_chatsession_change"


@admin.register(ChatSession)
class ConversationAdmin(ReadOnlyAdmin):
    """Django's place for conversations, with pages of our own."""

    search_fields = ("id",)

    def get_urls(self) -> list[URLPattern]:
        """Our pages before Django's."""
        wrap = self.admin_site.admin_view
        own = [
            path("dashboard/", wrap(dashboard.page), name="console_dashboard"),
            path("export/", wrap(require_POST(exports.begin)), name="console_export"),
            path("export/<str:key>/", wrap(require_GET(exports.progress)), name="console_progress"),
            path("<str:pk>/do/<str:name>/", wrap(require_POST(self.act)), name="console_act"),
            path("<str:pk>/reveal/", wrap(require_POST(self.reveal)), name="console_reveal"),
            path("<str:pk>/typing/", wrap(require_POST(self.typing)), name="console_typing"),
            path("<str:pk>/live/", asynchronous(wrap(self.live)), name="console_live"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list."""
        who, chosen = viewer(request), filters.read(request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": "Conversations",
            "page": listing.page(chosen, who),
            "chosen": chosen,
            "choices": _choices(chosen),
            "viewer": who,
            "newest": filters.NEWEST,
        }
        return TemplateResponse(request, "admin/console/list.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One conversation."""
        return self._show(request, object_id)

    def act(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        """Do one thing to the conversation, and go back to it, or say how it went as JSON."""
        session = _get(pk)
        try:
            changed, said = acts.perform(request, name=name, session_id=pk, viewer=viewer(request))
        except KeyError:
            raise Http404 from None
        except Problem as problem:
            if _wants_json(request):
                return JsonResponse({"detail": problem.detail}, status=problem.status)
            messages.error(request, problem.detail)
            return self._show(request, pk, unsaid=request.POST.get("text", ""))
        if changed:
            self.log_change(request, session, said)
        if _wants_json(request):
            return JsonResponse({"detail": said})
        messages.success(request, said)
        return HttpResponseRedirect(reverse(LIST) if name == "erase" else _back(request, pk))

    def reveal(self, request: HttpRequest, pk: str) -> JsonResponse:
        """The addresses, whole; that they were seen is recorded."""
        require(viewer(request).may_see_personal)
        _get(pk)
        shown = sessions.reveal(session_id=pk, actor=actor(request))
        return JsonResponse({"email": shown.email, "address": shown.address})

    def typing(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the visitor that somebody is writing to them."""
        require(viewer(request).may_act)
        writing.tell(session_id=_get(pk).pk, who=writing.STAFF)
        return HttpResponse(status=204)

    def live(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """What happens in the conversation from now on."""
        who = viewer(request)
        _get(pk)
        after = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
        number = int(after[:18]) if after[:18].isascii() and after[:18].isdigit() else 0
        return Continued(following.follow(pk, after=number, may_act=who.may_act))

    def _show(self, request: HttpRequest, pk: str, *, unsaid: str = "") -> HttpResponse:
        who = viewer(request)
        session = _get(pk)
        chosen = filters.read(request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Conversation {session.pk[:8]}",
            "session": session,
            "visitor": listing.visitor(session, who),
            "items": transcript.items(session),
            "viewer": who,
            "chosen": chosen,
            "neighbours": _neighbours(session, chosen),
            "earlier": _earlier(session) if who.may_see_personal else None,
            "is_blocked": _is_blocked(session),
            "thread": getattr(session, "discord_thread", None),
            "durations": acts.DURATIONS,
            "key": secrets.token_urlsafe(12),
            "unsaid": unsaid,
            "cost": ChatMessage.objects.filter(session=session).aggregate(sum=Sum("cost"))["sum"],
            "snippets": Snippet.objects.all()[:100] if who.may_act else (),
            "thread_url": _thread_url(session),
            "expired": session.expires_at <= timezone.now(),
        }
        return TemplateResponse(request, "admin/console/conversation.html", context)


def _get(pk: str) -> ChatSession:
    rows = ChatSession.objects.select_related("contact", "discord_thread")
    # PostgreSQL takes no NUL, not even to say that there is none such.
    found = None if "\0" in pk else rows.filter(pk=pk).first()
    if found is None and unquote(pk) != pk:  # a link of Django's own, from the log of the admin
        return _get(unquote(pk))
    if found is None:
        raise Http404("There is no such conversation.")
    return found


def _choices(chosen: filters.Filters) -> list[tuple[str, str, Any, str]]:
    return [
        ("who", "Who has it", filters.WHO, chosen.who),
        ("state", "State", filters.STATE, chosen.state),
        ("label", "Label", filters.LABELS, chosen.label),
        ("least", "Messages", filters.LEAST, chosen.least),
        ("cost", "Cost", filters.COST, chosen.cost),
    ]


def _neighbours(session: ChatSession, chosen: filters.Filters) -> dict[str, str]:
    """The conversations before and after this one in the list that the reader came from."""
    rows = search(filters.apply(chosen), chosen).sessions.exclude(pk=session.pk)
    older = rows.filter(last_activity__lte=session.last_activity)
    newer = rows.filter(last_activity__gt=session.last_activity).order_by("last_activity", "id")
    found = {"older": older.first(), "newer": newer.first()}
    query = chosen.query()
    return {
        name: f"{reverse(ONE, args=[one.pk])}{'?' if query else ''}{query}"
        for name, one in found.items()
        if one is not None
    }


def _earlier(session: ChatSession) -> list[ChatSession]:
    same = ChatSession.objects.filter(email_hash=session.email_hash).exclude(pk=session.pk)
    return list(same.order_by("-created_at")[:_EARLIER])


def _is_blocked(session: ChatSession) -> bool:
    return Block.objects.filter(
        email_hash=session.email_hash, expires_at__gt=timezone.now(), lifted_at=None
    ).exists()


def _thread_url(session: ChatSession) -> str:
    thread = getattr(session, "discord_thread", None)
    guild = settings.DISCORD_GUILD_ID
    return f"https://discord.com/channels/{guild}/{thread.thread_id}" if thread and guild else ""


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _back(request: HttpRequest, pk: str) -> str:
    query = filters.read(request.GET).query()
    return f"{reverse(ONE, args=[pk])}{'?' if query else ''}{query}"


__all__ = ["ConversationAdmin", "Viewer"]
