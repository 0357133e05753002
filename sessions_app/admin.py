"""Conversations in the admin, for reading; addresses are masked."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chatsite.core.admin import ReadOnlyAdmin
from sessions_app import identity
from sessions_app.models import ChatSession, SessionEvent


@admin.register(ChatSession)
class ChatSessionAdmin(ReadOnlyAdmin):
    """Who talked, when, and who has the conversation now."""

    list_display = (
        "short_id", "visitor", "message_count", "responder", "is_active", "created_at",
        "last_activity",
    )  # fmt: skip
    list_filter = ("is_active", "responder", "created_at")
    search_fields = ("id",)
    search_help_text = "A whole e-mail address, or the beginning of a conversation's id."
    ordering = ("-last_activity",)
    list_select_related = ("contact",)
    fields = (
        "id", "visitor", "verified", "responder", "is_active", "message_count", "created_at",
        "last_activity", "expires_at", "closed_at", "closed_by",
    )  # fmt: skip

    @admin.display(description="Conversation")
    def short_id(self, session: ChatSession) -> str:
        """The first characters, as Discord names its thread."""
        return session.id[:8]

    @admin.display(description="Visitor")
    def visitor(self, session: ChatSession) -> str:
        """The address, masked."""
        contact = getattr(session, "contact", None)
        return identity.mask(contact.email) if contact else "(erased)"

    @admin.display(description="Verified", boolean=True)
    def verified(self, session: ChatSession) -> bool:
        """Whether the address was proven."""
        return session.email_verified_at is not None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ChatSession], search_term: str
    ) -> tuple[QuerySet[ChatSession], bool]:
        """Conversations of an address (by its hash), or whose id begins so."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            hashed = identity.email_hash(identity.normalise_email(term))
        except ValueError:
            return queryset.filter(id__startswith=term), False
        return queryset.filter(email_hash=hashed), False


@admin.register(SessionEvent)
class SessionEventAdmin(ReadOnlyAdmin):
    """The log of what happened."""

    list_display = ("session_id", "seq", "kind", "reference", "created_at")
    list_filter = ("kind",)
    search_fields = ("session__id__startswith",)
    ordering = ("-id",)
