"""Messages in the admin, for reading."""

from __future__ import annotations

from django.contrib import admin
from django.utils.text import Truncator

from chat_app.models import ChatMessage
from chatsite.core.admin import ReadOnlyAdmin, ReadOnlyInline
from sessions_app.admin import ChatSessionAdmin

_EXCERPT = 120


class MessageInline(ReadOnlyInline):
    """A conversation's messages on its page, in order."""

    model = ChatMessage
    fields = ("seq", "message_type", "content", "status", "labels", "model", "timestamp")
    readonly_fields = fields
    ordering = ("seq",)
    verbose_name_plural = "messages"


@admin.register(ChatMessage)
class ChatMessageAdmin(ReadOnlyAdmin):
    """What was said, and how each answer came about."""

    list_display = (
        "excerpt", "message_type", "status", "safety", "degraded", "model", "first_token_ms",
        "timestamp",
    )  # fmt: skip
    list_filter = ("message_type", "status", "safety", "degraded", "timestamp")
    search_fields = ("id__startswith", "session__id__startswith")
    ordering = ("-timestamp",)
    raw_id_fields = ("session", "reply_to")
    exclude = ("lease_token", "client_hash")

    @admin.display(description="Message")
    def excerpt(self, message: ChatMessage) -> str:
        """The beginning of the text."""
        return Truncator(message.content or "(no text)").chars(_EXCERPT)


ChatSessionAdmin.inlines = (MessageInline,)
