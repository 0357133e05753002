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
    # The newest message of a person in the thread that the bot has dealt with.
    last_seen_id = models.CharField(max_length=32, blank=True)

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
    # All messages of a text that needed several, in order; the first is `discord_message_id`.
    message_ids = models.JSONField(default=list, blank=True)
    # Counts the threads that the conversation has had: a nonce must not find the last one's.
    generation = models.PositiveSmallIntegerField(default=1)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # The event's own, once more: whose turn it is must not take a join over all that is owed. Empty
    # where code before them owed it, until a mirror completes it.
    session_id = models.CharField(max_length=32, blank=True, db_default="")
    seq = models.PositiveBigIntegerField(db_default=0)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = (
            models.Index(
                fields=["due_at"], condition=Q(status=DeliveryStatus.DUE), name="delivery_due"
            ),
            models.Index(
                fields=["session_id", "seq"],
                condition=Q(status=DeliveryStatus.DUE),
                name="delivery_turn",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_id} {self.status}"


class Receipt(models.Model):
    """One message or interaction of Discord that took effect: it never does so twice."""

    id = models.CharField(primary_key=True, max_length=40)
    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="receipts")
    thread_id = models.CharField(max_length=32, blank=True)
    # What was said to the visitor by it.
    message_id = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            models.Index(fields=["message_id"], name="receipt_message"),
            models.Index(fields=["thread_id", "created_at"], name="receipt_thread"),
        )

    def __str__(self) -> str:
        return self.id


class MirrorState(models.Model):
    """The one row that says whether the mirror is held up, since when and why."""

    THE_ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    paused_until = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.reason or "running"
