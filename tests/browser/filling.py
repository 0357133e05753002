"""What the console's tests find in the database: accounts, made-up conversations, given texts."""

from __future__ import annotations

import io
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from chat_app.models import ChatMessage, MessageType, Snippet
from sessions_app.models import AuditEntry, Block, ChatSession, SessionContact

_A_CONVERSATION = 250


def hire(password: str) -> None:
    """An account of each role, named after it, and conversations to look at."""
    for group in Group.objects.all():
        user = User.objects.create_user(group.name.lower(), password=password, is_staff=True)
        user.groups.add(group)
    Snippet.objects.create(name="hours", text="We are here from 9 to 17 o'clock.")
    call_command("demo_data", sessions=60, seed=5, days=20, stdout=io.StringIO())


def admit(role: str) -> str:
    """A session of the admin for the account of this role: its cookie's value."""
    user = User.objects.get(username=role.lower())
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


def plant(texts: list[str]) -> dict[str, list[str]]:
    """The texts in every place that a page shows: each in a conversation of its own in the list,
    many at once in conversations, in labels, names, reasons, logs and canned replies.

    Returns the ids of the conversations with many, and of those of one text."""
    with transaction.atomic():
        long = [
            _conversation(texts[begin : begin + _A_CONVERSATION])
            for begin in range(0, len(texts), _A_CONVERSATION)
        ]
        short = _one_each(texts)
        _records(texts, long[0])
    return {"long": long, "short": short}


def _conversation(texts: list[str]) -> str:
    session = _session(responder="human", last_seq=2 * len(texts) + 1)
    session.save()
    SessionContact.objects.create(session=session, email=texts[0][:320])
    rows = []
    for number, text in enumerate(texts):
        facts: dict[str, Any] = {"session": session, "content": text}
        label = [{"name": text[:200], "rule": text[:200]}] if number % 3 == 0 else []
        rows += [
            ChatMessage(seq=2 * number + 2, message_type=MessageType.USER, labels=label, **facts),
            ChatMessage(
                seq=2 * number + 3, message_type=MessageType.STAFF, author=text[:64], **facts
            ),
        ]
    ChatMessage.objects.bulk_create(rows)
    return session.pk


def _one_each(texts: list[str]) -> list[str]:
    sessions = [_session(last_seq=2) for _ in texts]
    for session, text in zip(sessions, texts, strict=True):
        session.closed_by = text[:64]
    ChatSession.objects.bulk_create(sessions)
    SessionContact.objects.bulk_create(
        SessionContact(session=session, email=text[:320])
        for session, text in zip(sessions, texts, strict=True)
    )
    ChatMessage.objects.bulk_create(
        ChatMessage(
            session=session,
            seq=2,
            message_type=MessageType.ASSISTANT,
            content=text,
            model=text[:128],
            error=text[:64],
        )
        for session, text in zip(sessions, texts, strict=True)
    )
    return [session.pk for session in sessions]


def _session(**facts: Any) -> ChatSession:
    return ChatSession(
        email_hash=secrets.token_hex(32),
        browser_hash="b" * 64,
        ip_address="192.0.2.66",
        expires_at=timezone.now() + timedelta(hours=1),
        **facts,
    )


def _records(texts: list[str], session: str) -> None:
    user, until = User.objects.get(username="admin"), timezone.now()
    AuditEntry.objects.bulk_create(
        AuditEntry(
            source=t[:16], actor_name=t[:100], act="reply", session_id=session, detail=t[:300]
        )
        for t in texts
    )
    Block.objects.bulk_create(
        Block(email_hash="x", reason=t[:300], created_by=t[:100], expires_at=until) for t in texts
    )
    Snippet.objects.bulk_create(
        Snippet(name=f"{number:05d} {text[:20]}", text=text, updated_by=text[:100])
        for number, text in enumerate(texts)
    )
    kind = ContentType.objects.get_for_model(ChatSession)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=user,
            content_type=kind,
            object_id=session,
            object_repr=t[:200],
            action_flag=CHANGE,
            change_message=t,
        )
        for t in texts
    )


ACTS = {act.__name__: act for act in (hire, admit, plant)}
