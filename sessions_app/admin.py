"""What happened, who did it, and who is kept out, in the admin, for reading."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from chatsite.core.admin import ReadOnlyAdmin
from sessions_app.models import AuditEntry, Block, SessionEvent


@admin.register(SessionEvent)
class SessionEventAdmin(ReadOnlyAdmin):
    """The log of what happened."""

    list_display = ("session_id", "seq", "kind", "reference", "created_at")
    list_filter = ("kind",)
    search_fields = ("session__id__startswith",)
    ordering = ("-id",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who of the staff did what; it outlives the conversations."""

    list_display = ("created_at", "actor_name", "source", "act", "session_id", "detail")
    list_filter = ("act", "source")
    search_fields = ("actor_name", "session__id__startswith")
    ordering = ("-created_at",)


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    """Who may not open a conversation until when. Lifted from the conversation's page."""

    list_display = ("created_at", "expires_at", "lifted_at", "session_id", "reason", "created_by")
    search_fields = ("reason", "created_by", "session__id__startswith")
    ordering = ("-created_at",)
    exclude = ("email_hash", "network")


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Django's own log of what was done in the admin."""

    list_display = ("action_time", "user", "object_repr", "change_message")
    list_select_related = ("user",)
    search_fields = ("object_id", "user__username")
    ordering = ("-action_time",)
