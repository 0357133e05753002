"""Filling the database of a run with conversations, a few statements each; a command of its own.

`python -m benchmarks.filling lengthen SESSION MESSAGES` or `… grow MESSAGES`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

from tests.system.processes import ROOT

_PAIRS_A_SESSION = 10
_AT_ONCE = 10_000


def lengthen(environment: Mapping[str, str], session: str, messages: int) -> None:
    """Give the session so many messages."""
    _run(environment, "lengthen", session, str(messages))


def grow(environment: Mapping[str, str], messages: int) -> None:
    """Add sessions until so many messages are stored."""
    _run(environment, "grow", str(messages))


def _run(environment: Mapping[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "benchmarks.filling", *words]
    subprocess.run(command, cwd=ROOT, env=dict(environment), check=True, timeout=1800)


def _lengthen(session_id: str, messages: int) -> None:
    from django.db import transaction

    from chat_app.models import ChatMessage
    from sessions_app.models import ChatSession

    rows = list(_pairs(session_id, messages // 2))
    with transaction.atomic():
        ChatMessage.objects.bulk_create(rows, batch_size=500)
        ChatSession.objects.filter(pk=session_id).update(
            last_seq=messages + 1, message_count=messages // 2
        )


def _grow(messages: int) -> None:
    from django.db import connection, transaction

    from chat_app.models import ChatMessage
    from sessions_app.models import ChatSession, new_session_id

    missing = messages - ChatMessage.objects.count()
    while missing > 0:
        many = min(_AT_ONCE, missing) // (2 * _PAIRS_A_SESSION) + 1
        ids = [new_session_id() for _ in range(many)]
        with transaction.atomic():
            ChatSession.objects.bulk_create(map(_session, ids), batch_size=500)
            rows = [row for one in ids for row in _pairs(one, _PAIRS_A_SESSION)]
            ChatMessage.objects.bulk_create(rows, batch_size=500)
        missing -= len(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _session(session_id: str):  # type: ignore[no-untyped-def]
    from datetime import timedelta

    from django.utils import timezone

    from sessions_app.models import ChatSession

    return ChatSession(
        id=session_id,
        email_hash="0" * 64,
        browser_hash="0" * 64,
        ip_address="10.0.0.1",
        expires_at=timezone.now() + timedelta(hours=24),
        last_seq=2 * _PAIRS_A_SESSION + 1,
        message_count=_PAIRS_A_SESSION,
    )


def _pairs(session_id: str, count: int) -> Iterator:  # type: ignore[type-arg]
    from chat_app.models import ChatMessage

    for number in range(count):
        question = ChatMessage(
            session_id=session_id,
            seq=2 + 2 * number,
            message_type="user",
            content=f"What of the order {number}?",
        )
        yield question
        yield ChatMessage(
            session_id=session_id,
            seq=3 + 2 * number,
            message_type="assistant",
            reply_to=question,
            content=f"Order {session_id[:6]}-{number} left on **Monday**, due by Thursday.\n"
            "- It comes by *post*.\n- You need not be at home.\n\nAnything else?",
        )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    import django

    django.setup()
    act, *given = sys.argv[1:]
    if act == "grow":
        _grow(int(given[0]))
    else:
        _lengthen(given[0], int(given[1]))
