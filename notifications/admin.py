"""Deliveries and threads in the admin, for reading."""

from __future__ import annotations

from django.contrib import admin

from chatsite.core.admin import ReadOnlyAdmin
from notifications.models import Delivery, DiscordThread


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
