"""Sessions, what identifies their visitors, and the log of events."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone


def new_session_id() -> str:
    """32 characters that nobody guesses (192 bits)."""
    return secrets.token_urlsafe(24)


class Responder(models.TextChoices):
    """Who answers a session's messages."""

    AI = "ai"
    HUMAN = "human"


class ChatSession(models.Model):
    """One visitor's conversation, from sign-in to its end."""

    id = models.CharField(primary_key=True, max_length=32, default=new_session_id, editable=False)
    email_hash = models.CharField(max_length=64)
    browser_hash = models.CharField(max_length=64)
    ip_address = models.GenericIPAddressField(unpack_ipv4=True)
    # The address, or its /64: what sessions are counted by. As personal as the address.
    network = models.CharField(max_length=64, blank=True, db_default="")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_activity = models.DateTimeField(default=timezone.now)
    is_active = models.BooleanField(default=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=64, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    last_seq = models.PositiveBigIntegerField(default=0)
    responder = models.CharField(max_length=8, choices=Responder.choices, default=Responder.AI)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    # The most that its behaviour looked like a program's, and why (bots.py).
    bot_points = models.PositiveSmallIntegerField(default=0, db_default=0)
    bot_reasons = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = "conversation"
        permissions = (
            ("act_chatsession", "Can answer, take over, hand back, close, reopen and block"),
            ("personal_chatsession", "Can see e-mail and IP addresses whole"),
            ("export_chatsession", "Can export conversations"),
            ("erase_chatsession", "Can erase conversations"),
        )
        indexes = (
            models.Index(fields=["is_active", "expires_at"], name="session_active_expiry"),
            models.Index(fields=["email_hash", "is_active"], name="session_email_active"),
            models.Index(fields=["-last_activity"], name="session_recent"),
            models.Index(fields=["created_at"], name="session_created"),
            models.Index(
                fields=["network"], condition=Q(is_active=True), name="session_network_active"
            ),
        )

    def __str__(self) -> str:
        return self.id[:8]


class SessionContact(models.Model):
    """The e-mail address as typed, apart, so that encryption and erasure have one place."""

    session = models.OneToOneField(
        ChatSession, on_delete=models.CASCADE, primary_key=True, related_name="contact"
    )
    email = models.CharField(max_length=320)

    def __str__(self) -> str:
        return str(self.session_id)


class EmailCode(models.Model):
    """A one-time code that proves an e-mail address: known as a keyed hash, sent by a worker."""

    email_hash = models.CharField(max_length=64)
    # Where to send it; empty once it was.
    email = models.CharField(max_length=320, blank=True)
    code_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    due_at = models.DateTimeField(default=timezone.now)
    sendings = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["email_hash", "expires_at"], name="code_email"),
            models.Index(fields=["expires_at"], name="code_expiry"),
            models.Index(fields=["due_at"], condition=Q(sent_at=None), name="code_due"),
        )

    def __str__(self) -> str:
        return f"{self.email_hash[:8]} until {self.expires_at:%H:%M}"


class EventKind(models.TextChoices):
    """What an event tells. `reference` is the row it is about."""

    OPENED = "opened"
    MESSAGE = "message"
    ANSWER = "answer"
    STATUS = "status"
    EDITED = "edited"
    DELETED = "deleted"


class SessionEvent(models.Model):
    """That something happened in a session: outbox and event stream at once, never changed."""

    # The unique order begins with it: an index of its own would serve nobody.
    session = models.ForeignKey(
        ChatSession, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=16, choices=EventKind.choices)
    reference = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["session", "seq"], name="event_order"),
            models.CheckConstraint(condition=Q(seq__gt=0), name="event_seq_positive"),
        )

    def __str__(self) -> str:
        return f"{self.session_id} {self.seq} {self.kind}"


class Act(models.TextChoices):
    """What staff did."""

    TAKE_OVER = "take_over"
    HAND_BACK = "hand_back"
    REPLY = "reply"
    EDIT = "edit"
    DELETE = "delete"
    CLOSE = "close"
    REOPEN = "reopen"
    BLOCK = "block"
    UNBLOCK = "unblock"
    REVEAL = "reveal"
    SNIPPET = "snippet"
    TRANSCRIPT = "transcript"
    EXPORT = "export"
    ERASE = "erase"


class AuditEntry(models.Model):
    """Who of the staff did what, when; it outlives the conversation and is never changed."""

    created_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=100, blank=True)
    act = models.CharField(max_length=16, choices=Act.choices)
    session = models.ForeignKey(
        ChatSession, on_delete=models.SET_NULL, null=True, blank=True, related_name="audit"
    )
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = (models.Index(fields=["-created_at"], name="audit_recent"),)

    def __str__(self) -> str:
        return f"{self.actor_name} {self.act}"


class Block(models.Model):
    """Who may not open a conversation until when: by e-mail hash, and by address or its /64."""

    session = models.ForeignKey(
        ChatSession, on_delete=models.SET_NULL, null=True, blank=True, related_name="blocks"
    )
    email_hash = models.CharField(max_length=64)
    network = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["email_hash", "expires_at"], name="block_email"),
            models.Index(fields=["network", "expires_at"], name="block_network"),
        )

    def __str__(self) -> str:
        return f"{self.email_hash[:8]} until {self.expires_at:%Y-%m-%d %H:%M}"
