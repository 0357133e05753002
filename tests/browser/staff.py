"""What staff and time do to a session, for tests: orders as JSON lines in, results out."""

import json
import os
import sys
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from django.db import transaction  # noqa: E402
from django.db.models import F  # noqa: E402
from django.utils import timezone  # noqa: E402

from chat_app.models import ChatMessage, MessageType  # noqa: E402
from chatsite.core import live  # noqa: E402
from sessions_app import services  # noqa: E402
from sessions_app.models import ChatSession, EventKind  # noqa: E402


def respond(session: str, responder: str) -> None:
    """A person takes the session over (`human`) or hands it back (`ai`)."""
    with transaction.atomic():
        _next(session, responder=responder)
        services.record_next(session_id=session, kind=EventKind.STATUS)


def say(session: str, text: str, message_type: str = MessageType.STAFF) -> str:
    """A person says something unasked; the message's id."""
    with transaction.atomic():
        _next(session)
        seq = ChatSession.objects.values_list("last_seq", flat=True).get(pk=session)
        row = ChatMessage.objects.create(
            session_id=session, seq=seq, message_type=message_type, content=text
        )
        services.record_next(session_id=session, kind=EventKind.MESSAGE, reference=row.pk)
    return row.pk


def fill(session: str, pairs: int) -> None:
    """Many questions with their answers, of the past."""
    last = ChatSession.objects.values_list("last_seq", flat=True).get(pk=session)
    rows = []
    for number in range(pairs):
        asked = ChatMessage(
            session_id=session,
            seq=last + 2 * number + 1,
            message_type=MessageType.USER,
            content=f"Question {number}",
            timestamp=timezone.now() - timedelta(minutes=pairs - number),
        )
        words = f"Answer {number}, which goes on for a while so that it takes some room."
        rows += [asked, _answer(asked, words)]
    with transaction.atomic():
        ChatMessage.objects.bulk_create(rows)
        ChatSession.objects.filter(pk=session).update(last_seq=last + 2 * pairs)


def quote(session: str, texts: list[str]) -> None:
    """Each text as a question, as its answer, and as a word of staff."""
    last = ChatSession.objects.values_list("last_seq", flat=True).get(pk=session)
    rows = []
    for number, text in enumerate(texts):
        seq = last + 3 * number + 1
        asked = ChatMessage(
            session_id=session, seq=seq, message_type=MessageType.USER, content=text
        )
        staff = ChatMessage(
            session_id=session, seq=seq + 2, message_type=MessageType.STAFF, content=text
        )
        rows += [asked, _answer(asked, text), staff]
    with transaction.atomic():
        ChatMessage.objects.bulk_create(rows)
        ChatSession.objects.filter(pk=session).update(last_seq=last + 3 * len(texts))


def converse(session: str, pairs: list[list[str]]) -> None:
    """Questions with answers to them, as if just had."""
    last = ChatSession.objects.values_list("last_seq", flat=True).get(pk=session)
    rows = []
    for number, (question, words) in enumerate(pairs):
        seq = last + 2 * number + 1
        asked = ChatMessage(
            session_id=session, seq=seq, message_type=MessageType.USER, content=question
        )
        rows += [asked, _answer(asked, words)]
    with transaction.atomic():
        ChatMessage.objects.bulk_create(rows)
        ChatSession.objects.filter(pk=session).update(last_seq=last + len(rows))


def expire(session: str) -> None:
    """The session's time is over."""
    ChatSession.objects.filter(pk=session).update(expires_at=timezone.now())


def close(session: str) -> None:
    """A person ends the session."""
    services.close_session(session_id=session, closed_by="staff")


def stored(session: str) -> list[dict[str, Any]]:
    """All messages of the session, as they are in the database."""
    rows = ChatMessage.objects.filter(session_id=session).order_by("seq")
    return list(rows.values("id", "message_type", "content", "status"))


def _answer(asked: ChatMessage, words: str) -> ChatMessage:
    return ChatMessage(
        session_id=asked.session_id,
        seq=asked.seq + 1,
        message_type=MessageType.ASSISTANT,
        content=words,
        reply_to=asked,
    )


def _next(session: str, **changes: Any) -> None:
    ChatSession.objects.filter(pk=session).update(last_seq=F("last_seq") + 1, **changes)


ACTS = {act.__name__: act for act in (respond, say, fill, quote, converse, expire, close, stored)}

if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        found = ACTS[order.pop("act")](**order)  # type: ignore[operator]
        live.flush()
        print(json.dumps(found), flush=True)
