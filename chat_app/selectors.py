"""Reading messages: pages of the history, events of a stream, one answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import BigIntegerField, CharField

from chat_app import presenters
from chat_app.models import AnswerStatus, ChatMessage, MessageType
from chatsite.core import hops, statements
from chatsite.core.errors import NotFound
from chatsite.core.statements import Rows, Slot
from sessions_app.models import ChatSession, EventKind, SessionEvent

EVENTS_AT_ONCE = 200
# What presenters.pair shows of a message: a page of 50 reads 100 of them.
_SHOWN = (
    *("message_type", "content", "status", "author", "safety", "degraded", "error"),
    *("seq", "timestamp", "client_key", "reply_to"),
)


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event as readers get it; `seq` is where a reader resumes. Nameless ones are not told."""

    seq: int
    name: str
    data: dict[str, Any]
    reference: str = ""


def get_message(*, session: ChatSession, message_id: str) -> ChatMessage:
    """The message; raises NotFound where it is not this session's."""
    found = (
        ChatMessage.objects.select_related("answer")
        .filter(pk=message_id, session_id=session.id, deleted_at=None)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def history(
    *, session: ChatSession, limit: int, before: int | None = None, after: int | None = None
) -> tuple[list[ChatMessage], bool]:
    """Up to `limit` questions and unasked words of staff, oldest first, and whether more follow.

    Without a cursor the latest; `before` the ones before that number, `after` the ones after it.
    """
    rows = ChatMessage.objects.filter(
        session_id=session.id,
        message_type__in=(MessageType.USER, MessageType.STAFF),
        deleted_at=None,
    )
    rows = rows.select_related("answer").only(*_SHOWN, *(f"answer__{name}" for name in _SHOWN))
    if before is not None:
        rows = rows.filter(seq__lt=before)
    if after is not None:
        rows = rows.filter(seq__gt=after)
    forwards = after is not None and before is None
    found = list(rows.order_by("seq" if forwards else "-seq")[: limit + 1])
    page = found[:limit]
    return (page if forwards else page[::-1]), len(found) > limit


def events_after(session_id: str, after: int) -> list[StreamEvent]:
    """The next events of the session, at most EVENTS_AT_ONCE, in order."""
    rows = _following().find(session=session_id, after=after)
    told = {row.reference for row in rows if row.reference}
    messages = {one.pk: one for one in _naming().find(ids=list(told))} if told else {}
    session = None
    if any(row.kind == EventKind.STATUS for row in rows):
        session = ChatSession.objects.get(pk=session_id)
    return [_event(row, messages, session) for row in rows]


def running_answer(session_id: str) -> ChatMessage | None:
    """The answer that is being made for the session, if one is."""
    return ChatMessage.objects.filter(session_id=session_id, status=AnswerStatus.RUNNING).first()


def finished_answers(ids: Collection[str]) -> list[tuple[ChatMessage, dict[str, Any]] | None]:
    """Of each answer, if nothing more will change, itself and what its asker is told."""
    finished = {row.pk: row for row in _naming().find(ids=list(ids)) if row.is_finished}
    return [
        (finished[one], presenters.answered(finished[one])) if one in finished else None
        for one in ids
    ]


def last_seq(session_id: str) -> int:
    """The number of the session's last event."""
    return ChatSession.objects.values_list("last_seq", flat=True).get(pk=session_id)


@statements.once
def _following() -> Rows[SessionEvent]:
    session, after = Slot("session", CharField()), Slot("after", BigIntegerField())
    rows = SessionEvent.objects.filter(session_id=session, seq__gt=after)
    return statements.select(rows.order_by("seq")[:EVENTS_AT_ONCE])


@statements.once
def _naming() -> Rows[ChatMessage]:
    return statements.select(ChatMessage.objects.filter(pk__in=[Slot("ids", CharField())]))


def _event(
    row: SessionEvent, messages: dict[str, ChatMessage], session: ChatSession | None
) -> StreamEvent:
    if row.kind == EventKind.STATUS and session:
        return StreamEvent(row.seq, "status", presenters.status_event(session))
    told = messages.get(row.reference)
    if told is not None and row.kind == EventKind.DELETED:
        return StreamEvent(row.seq, row.kind, {"id": told.pk}, told.pk)
    if told is None or told.deleted_at:
        return StreamEvent(row.seq, "", {})
    make = presenters.answer_event if row.kind == EventKind.ANSWER else presenters.message_event
    return StreamEvent(row.seq, row.kind, make(told), told.pk)


load_events = sync_to_async(events_after)
load_running = sync_to_async(running_answer)
load_finished = hops.beside(finished_answers)
