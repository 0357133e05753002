"""What a visitor may do: ask, and stop an answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import CharField, DateTimeField, F
from django.utils import timezone

from chat_app import answers, budgets, room, screening
from chat_app.models import UNFINISHED, AnswerStatus, ChatMessage, MessageType
from chatsite.core import live, queue, statements
from chatsite.core.errors import NotFound, Problem
from chatsite.core.statements import Slot, Statement
from sessions_app import audit, authentication, events, selectors, staff
from sessions_app.models import ChatSession, EventKind, Responder, SessionEvent

log = structlog.get_logger(__name__)

SAFETY_ANSWER: Final = (
    "For safety reasons I cannot answer this message as it is written. "
    "Please rephrase your question in plain words, and I will gladly help."
)


class MessageLimit(Problem):
    code, status, title = "message_limit", 429, "This session has sent all its messages"


class KeyReused(Problem):
    code, status, title = (
        "idempotency_key_reused",
        422,
        "This Idempotency-Key was used with another message",
    )


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored question and what became of it. No `answer` while a person has the session."""

    question: ChatMessage
    answer: ChatMessage | None
    replayed: bool = False


def post_message(
    *,
    session: ChatSession,
    text: str,
    client_key: str | None = None,
    request_id: str = "",
    is_streamed: bool = False,
) -> Posted:
    """Store a question and its answer-to-be; both are safe when this returns.

    `is_streamed`: the caller is about to read the answer as it is made.
    Raises MessageLimit, KeyReused, Unauthorised (the session ended meanwhile), Unavailable (too
    much is waiting), BudgetSpent.
    """
    verdict = screening.screen(text)
    unsafe = verdict.unsafe and settings.SCREENING_ACTION == "answer"
    if not unsafe:
        room.refuse_full()
        if session.responder == Responder.AI:
            budgets.refuse_spent()
    question = ChatMessage(
        session_id=session.id,
        message_type=MessageType.USER,
        content=text,
        labels=[{"name": one.name, "rule": one.rule} for one in verdict.labels],
        safety=unsafe,
        client_key=client_key,
        client_hash=_fingerprint(text) if client_key else "",
        request_id=request_id,
        is_streamed=is_streamed,
    )
    try:
        return _store(session, question)
    except IntegrityError:
        # The same key came twice at once, and the other was first.
        replay = client_key and find_replay(session=session, text=text, client_key=client_key)
        if not replay:
            raise
        return replay


def find_replay(*, session: ChatSession, text: str, client_key: str) -> Posted | None:
    """What this key has posted before; raises KeyReused where that was another text."""
    earlier = (
        ChatMessage.objects.filter(session_id=session.id, client_key=client_key)
        .select_related("answer")
        .first()
    )
    if earlier is None:
        return None
    if earlier.client_hash != _fingerprint(text):
        raise KeyReused
    return Posted(earlier, getattr(earlier, "answer", None), replayed=True)


def request_stop(*, session: ChatSession, answer_id: str) -> ChatMessage:
    """Have an answer stopped: at once where nobody began it, else by the worker that makes it.

    Returns the answer as it is now; raises NotFound where it is not this session's.
    """
    answer = ChatMessage.objects.filter(
        pk=answer_id, session_id=session.id, message_type=MessageType.ASSISTANT
    ).first()
    if answer is None:
        raise NotFound
    if answer.status == AnswerStatus.QUEUED and answers.stop_waiting(answer=answer):
        answer.refresh_from_db()
        return answer
    unfinished = ChatMessage.objects.filter(
        pk=answer.pk, status__in=[str(status) for status in UNFINISHED]
    )
    with transaction.atomic():
        if unfinished.update(stop_requested=True):
            live.request_stop(answer.pk)
    answer.refresh_from_db()
    return answer


@transaction.atomic
def _store(session: ChatSession, question: ChatMessage) -> Posted:
    now = timezone.now()
    last, responder = _take_a_message(session.id, now)
    question.seq, question.timestamp = last - 1, now
    stored, answer = [question], None
    # Once a person has it nothing is said in their place, not even the safety answer.
    if responder == Responder.AI:
        answer = _answer_to(question, seq=last)
        stored.append(answer)
    statements.insert(stored)
    events.record(_events(question, answer))
    if answer is not None and not answer.is_finished:
        live.ring(queue.ANSWER)
    return Posted(question, answer)


def _take_a_message(session_id: str, now: datetime) -> tuple[int, str]:
    """Count the message and take two numbers for it in one UPDATE: no race passes the limit.

    The second number, and who answers the session.
    """
    taken = _took(session_id, now) or (_came_back(session_id) and _took(session_id, now))
    if not taken:
        authentication.live_session(session_id)
        raise MessageLimit(f"A session may send {settings.MESSAGE_LIMIT} messages.")
    return taken


def _took(session_id: str, now: datetime) -> tuple[int, str] | None:
    silent_since = selectors.silent_since(now)
    taking = _taking(settings.MESSAGE_LIMIT, ends_by_silence=silent_since is not None)
    found = taking.ask(session=session_id, now=now, silent_since=silent_since)
    return found[0] if found else None


@statements.once
def _taking(limit: int, *, ends_by_silence: bool) -> Statement:
    now = Slot("now", DateTimeField())
    silent_since = Slot("silent_since", DateTimeField()) if ends_by_silence else None
    open_sessions = ChatSession.objects.filter(
        selectors.outlasts(now, silent_since), pk=Slot("session", CharField())
    )
    return statements.update(
        open_sessions.filter(message_count__lt=limit),
        ("last_seq", "responder"),
        message_count=F("message_count") + 1,
        last_seq=F("last_seq") + 2,
        last_activity=now,
    )


def _came_back(session_id: str) -> bool:
    """Open a conversation again that staff had closed as settled; says whether it was one."""
    try:
        return staff.reopen(session_id=session_id, actor=audit.VISITOR)
    except staff.CannotReopen:
        return False


def _answer_to(question: ChatMessage, *, seq: int) -> ChatMessage:
    return ChatMessage(
        session_id=question.session_id,
        seq=seq,
        message_type=MessageType.ASSISTANT,
        reply_to_id=question.pk,  # by its id: two rows that know each other are a circle
        timestamp=question.timestamp,
        request_id=question.request_id,
        is_streamed=question.is_streamed,
        safety=question.safety,
        status=AnswerStatus.DONE if question.safety else AnswerStatus.QUEUED,
        content=SAFETY_ANSWER if question.safety else "",
        finished_at=question.timestamp if question.safety else None,
    )


def _events(question: ChatMessage, answer: ChatMessage | None) -> list[SessionEvent]:
    told = [(question, EventKind.MESSAGE)]
    if answer is not None and answer.is_finished:
        told.append((answer, EventKind.ANSWER))
    return [
        SessionEvent(session_id=row.session_id, seq=row.seq, kind=kind, reference=row.pk)
        for row, kind in told
    ]


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
