"""Messages and canned replies in the admin; conversations have pages of their own (console/)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator

from chat_app.console import pages
from chat_app.models import ChatMessage, Snippet
from chatsite.core.admin import ModelAdmin, ReadOnlyAdmin

_EXCERPT = 120

__all__ = ["ChatMessageAdmin", "SnippetAdmin", "pages"]


@admin.register(ChatMessage)
class ChatMessageAdmin(ReadOnlyAdmin):
    """What was said, and how each answer came about."""

    list_display = (
        "excerpt", "message_type", "status", "safety", "degraded", "model", "first_token_ms",
        "timestamp",
    )  # fmt: skip
    list_filter = ("message_type", "status", "safety", "degraded", "timestamp")
    search_fields = ("id__exact", "session__id__startswith")
    ordering = ("-timestamp",)
    raw_id_fields = ("session", "reply_to")
    exclude = ("lease_token", "client_hash")

    @admin.display(description="Message")
    def excerpt(self, message: ChatMessage) -> str:
        """The beginning of the text."""
        return Truncator(message.content or "(no text)").chars(_EXCERPT)


@admin.register(Snippet)
class SnippetAdmin(ModelAdmin):
    """Canned replies, for Discord and for the box under a conversation."""

    list_display = ("name", "text", "updated_at", "updated_by")
    search_fields = ("name", "text")
    readonly_fields = ("updated_by",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep who wrote it last."""
        obj.updated_by = request.user.get_username()
        super().save_model(request, obj, form, change)
