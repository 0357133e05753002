"""Deliveries, threads, and what staff did and kept, in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chat_app.models import Snippet
from chatsite.core.admin import ModelAdmin, ReadOnlyAdmin
from notifications.models import Delivery, DiscordThread
from sessions_app.models import AuditEntry, Block


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What is owed to Discord, and what became of it."""

    list_display = ("event_id", "status", "attempts", "due_at", "error")
    list_filter = ("status",)
    ordering = ("-event_id",)
    raw_id_fields = ("event",)


@admin.register(DiscordThread)
class DiscordThreadAdmin(ReadOnlyAdmin):
    """Where each conversation is mirrored."""

    list_display = ("thread_id", "session_id", "created_at")
    search_fields = ("thread_id", "session__id__startswith")
    ordering = ("-created_at",)
    raw_id_fields = ("session",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who of the staff did what, when."""

    list_display = ("created_at", "source", "actor_name", "actor_id", "act", "session_id", "detail")
    list_filter = ("act", "source")
    search_fields = ("actor_name", "actor_id", "session__id__startswith")
    ordering = ("-created_at",)
    raw_id_fields = ("session",)


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    """Who may not open a conversation until when."""

    list_display = ("created_at", "expires_at", "lifted_at", "network", "reason", "created_by")
    ordering = ("-created_at",)
    raw_id_fields = ("session",)


@admin.register(Snippet)
class SnippetAdmin(ModelAdmin):
    """Canned replies: the one page here to write on."""

    list_display = ("name", "text", "updated_at", "updated_by")
    search_fields = ("name", "text")
    fields = ("name", "text")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep who wrote it."""
        obj.updated_by = request.user.get_username()[:100]
        super().save_model(request, obj, form, change)
