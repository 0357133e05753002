"""Staff of each role, and conversations that they look at."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from chat_app import services
from chat_app.models import AnswerStatus, ChatMessage, MessageType
from sessions_app.models import ChatSession
from sessions_app.services import open_session

LIST = "/admin/sessions_app/chatsession/"
ROLES = ("Reviewer", "Moderator", "Privacy", "Admin")

SignIn = Callable[[str], Client]
Talk = Callable[..., ChatSession]


@pytest.fixture
def sign_in(db: Any) -> SignIn:
    """A client signed in with a role."""
    importlib.import_module("chat_app.migrations.0005_roles").create(apps, None)

    def as_role(role: str) -> Client:
        user, _ = User.objects.get_or_create(username=role.lower(), defaults={"is_staff": True})
        user.groups.set([Group.objects.get(name=role)])
        client = Client(headers={"User-Agent": "a browser of the staff"})
        client.force_login(user)
        return client

    return as_role


@pytest.fixture
def talk(db: Any) -> Talk:
    """A conversation: questions with answers, made by the same services as real ones."""

    def make(*texts: str, email: str = "ada@example.com", answer: str = "Gladly.") -> ChatSession:
        session = open_session(email=email, address="192.0.2.7", user_agent="a visitor's browser")
        for text in texts:
            posted = services.post_message(session=session, text=text)
            if posted.answer and not posted.answer.is_finished:
                finish(posted.answer, answer)
        session.refresh_from_db()
        return session

    return make


def finish(answer: ChatMessage, text: str, **facts: Any) -> None:
    """End an answer as a worker does."""
    told = {
        "status": AnswerStatus.DONE,
        "content": text,
        "model": "m",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost": "0.001",
        "first_token_ms": 400,
        "finished_at": answer.timestamp + timedelta(seconds=2),
        **facts,
    }
    ChatMessage.objects.filter(pk=answer.pk).update(**told)


def say(session: ChatSession, kind: MessageType, text: str = "x", **facts: Any) -> ChatMessage:
    """One message as a row, at a time of the test's choice."""
    session.last_seq += 1
    session.save(update_fields=["last_seq"])
    facts.setdefault("timestamp", timezone.now())
    return ChatMessage.objects.create(
        session=session, seq=session.last_seq, message_type=kind, content=text, **facts
    )
