"""What staff and time do to a session, for tests: orders as JSON lines in, results out."""

import json
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from chat_app import staff  # noqa: E402
from chat_app.models import ChatMessage, MessageType  # noqa: E402
from chatsite.core import live  # noqa: E402
from sessions_app import code_mail  # noqa: E402
from sessions_app.audit import Actor  # noqa: E402
from sessions_app.models import ChatSession  # noqa: E402
from tests.browser import filling  # noqa: E402

KIM = Actor("tests", "1", "Kim")


def respond(session: str, responder: str) -> None:
    """A person takes the session over (`human`) or hands it back (`ai`)."""
    act = staff.take_over if responder == "human" else staff.hand_back
    act(session_id=session, actor=KIM)


def say(session: str, text: str, author: str = "") -> str:
    """A person says something unasked; the message's id."""
    return staff.post_message(session_id=session, text=text, actor=KIM, author=author).pk


def writes(session: str) -> None:
    """A person is typing."""
    live.tell_typing(live.Typing(session, "staff"))


def edit(session: str, message: str, text: str) -> None:
    """A person corrects what they said."""
    staff.edit_message(session_id=session, message_id=message, text=text, actor=KIM)


def take_back(session: str, message: str) -> None:
    """A person takes back what they said."""
    staff.delete_message(session_id=session, message_id=message, actor=KIM)


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


def hostile(session: str, texts: list[str]) -> None:
    """Each text as said by everybody, as a name, a label and an address; and who reviews it."""
    from django.contrib.auth.models import User

    from chat_app.models import Snippet
    from sessions_app import audit
    from sessions_app.models import Act, SessionContact

    quote(session, texts)
    SessionContact.objects.filter(pk=session).update(email=f"{texts[0]}@example.com"[:254])
    said = ChatMessage.objects.filter(session_id=session)
    for row, text in zip(said.order_by("seq"), texts * 3, strict=True):
        said.filter(pk=row.pk).update(
            author=text[:60] if row.message_type == MessageType.STAFF else "",
            labels=[{"name": text[:40], "rule": text[:40]}],
            error=text[:60],
            model=text[:60],
        )
    for number, text in enumerate(texts):
        Snippet.objects.create(name=f"{number}{text}"[:32], text=text)
        who = Actor("tests", "1", text[:60])
        audit.record(actor=who, act=Act.EXPORT, session_id=session, detail=text[:200])
    User.objects.create_superuser("root", password="a long enough password")


def mailed() -> str:
    """The code in the mail that the worker sends next."""
    assert code_mail.send_due() == 1
    mails = sorted(Path(settings.EMAIL_FILE_PATH).iterdir(), key=lambda one: one.stat().st_mtime_ns)
    found = re.search(r"Your code is (\d{6})", mails[-1].read_text())
    assert found
    return found[1]


def expire(session: str) -> None:
    """The session's time is over."""
    ChatSession.objects.filter(pk=session).update(expires_at=timezone.now())


def close(session: str) -> None:
    """A person ends the session as settled."""
    staff.close(session_id=session, actor=KIM)


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


ACTS = filling.ACTS | {
    act.__name__: act
    for act in (
        respond,
        say,
        writes,
        edit,
        take_back,
        fill,
        quote,
        converse,
        hostile,
        mailed,
        expire,
        close,
        stored,
    )
}

if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        found = ACTS[order.pop("act")](**order)  # type: ignore[operator]
        live.flush()
        print(json.dumps(found), flush=True)
