"""Messages; an answer is a message that points at its question and knows who is making it."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sessions_app.models import ChatSession


def new_message_id() -> str:
    """22 characters that nobody guesses (128 bits)."""
    return secrets.token_urlsafe(16)


class MessageType(models.TextChoices):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"
    STAFF = "staff"
    SYSTEM = "system"


class AnswerStatus(models.TextChoices):
    """How far an answer is; what was said by people is done when it is stored."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


UNFINISHED = (AnswerStatus.QUEUED, AnswerStatus.RUNNING)
_UNFINISHED = Q(status__in=[str(status) for status in UNFINISHED])


class ChatMessage(models.Model):
    """What somebody said, verbatim, at its place in the session."""

    id = models.CharField(primary_key=True, max_length=32, default=new_message_id, editable=False)
    # The unique order begins with it: an index of its own would serve nobody.
    session = models.ForeignKey(
        ChatSession, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    seq = models.PositiveBigIntegerField()
    message_type = models.CharField(max_length=20, choices=MessageType.choices)
    content = models.TextField(blank=True)
    timestamp = models.DateTimeField(default=timezone.now)
    reply_to = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="answer"
    )
    labels = models.JSONField(default=list, blank=True)
    safety = models.BooleanField(default=False)

    author = models.CharField(max_length=64, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    client_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    client_hash = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    status = models.CharField(max_length=8, choices=AnswerStatus.choices, default=AnswerStatus.DONE)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_requested = models.BooleanField(default=False)
    is_streamed = models.BooleanField(default=False)

    degraded = models.BooleanField(default=False)
    error = models.CharField(max_length=64, blank=True)
    model = models.CharField(max_length=128, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    cost = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "message"
        constraints = (
            models.UniqueConstraint(fields=["session", "seq"], name="message_order"),
            models.UniqueConstraint(
                fields=["session", "client_key"],
                condition=Q(client_key__isnull=False),
                name="message_client_key",
            ),
            models.CheckConstraint(
                condition=~_UNFINISHED | Q(message_type=MessageType.ASSISTANT),
                name="only_answers_are_unfinished",
            ),
        )
        indexes = (
            models.Index(fields=["-timestamp"], name="message_recent"),
            # Small whatever the table's size: it holds only what is yet to be answered.
            models.Index(fields=["timestamp"], condition=_UNFINISHED, name="message_unfinished"),
            models.Index(
                fields=["session", "seq"],
                condition=_UNFINISHED,
                name="message_unfinished_session",
            ),
            models.Index(fields=["lease_token"], condition=_UNFINISHED, name="message_lease"),
            # What staff filter by is rare, and so are these.
            models.Index(
                fields=["session", "timestamp"], condition=Q(degraded=True), name="message_degraded"
            ),
            models.Index(
                fields=["session", "timestamp"], condition=Q(safety=True), name="message_safety"
            ),
            models.Index(
                fields=["session", "timestamp"], condition=~Q(labels=[]), name="message_screened"
            ),
            models.Index(
                fields=["session", "timestamp"],
                condition=Q(status=AnswerStatus.DONE) & ~Q(error=""),
                name="message_fallback",
            ),
            models.Index(
                fields=["session", "timestamp"],
                condition=Q(message_type=MessageType.STAFF),
                name="message_staff",
            ),
        )

    def __str__(self) -> str:
        return f"{self.message_type} {self.id}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will change."""
        return self.status not in UNFINISHED


class Snippet(models.Model):
    """A canned reply of the staff."""

    name = models.CharField(max_length=32, unique=True)
    text = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class DayFigures(models.Model):
    """A day's counts for the dashboard, kept once the day is over."""

    day = models.DateField(primary_key=True)
    data = models.JSONField()

    def __str__(self) -> str:
        return self.day.isoformat()


class Spending(models.Model):
    """What was spent on models on a day, by a session or, without `scope`, by all."""

    day = models.DateField()
    scope = models.CharField(max_length=32, blank=True)
    tokens = models.PositiveBigIntegerField(default=0)
    billionths = models.PositiveBigIntegerField(default=0, help_text="Of a US dollar.")
    refused_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "spending"
        constraints = (models.UniqueConstraint(fields=["day", "scope"], name="spending_once"),)

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.scope or 'all'}"
