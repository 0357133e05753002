"""A conversation's Discord thread, and one delivery for each event that is owed to it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sessions_app.models import ChatSession, SessionEvent


class DiscordThread(models.Model):
    """Where a conversation is mirrored."""

    session = models.OneToOneField(
        ChatSession, on_delete=models.CASCADE, primary_key=True, related_name="discord_thread"
    )
    thread_id = models.CharField(max_length=32, unique=True)
    message_id = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.thread_id


class DeliveryStatus(models.TextChoices):
    """How far a delivery is."""

    DUE = "due"
    SENT = "sent"
    FAILED = "failed"


class Delivery(models.Model):
    """One event owed to Discord."""

    event = models.OneToOneField(
        SessionEvent, on_delete=models.CASCADE, primary_key=True, related_name="delivery"
    )
    status = models.CharField(
        max_length=8, choices=DeliveryStatus.choices, default=DeliveryStatus.DUE
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=200, blank=True)
    discord_message_id = models.CharField(max_length=32, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = (
            models.Index(
                fields=["due_at"], condition=Q(status=DeliveryStatus.DUE), name="delivery_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_id} {self.status}"
