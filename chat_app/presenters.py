"""Rows to what callers see: plain dictionaries, since these are made on every hot path."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chat_app import rendering
from chat_app.answers import TAKEN_OVER
from chat_app.models import ChatMessage, MessageType
from sessions_app.models import ChatSession

ANSWERED_BY = {MessageType.ASSISTANT: "ai", MessageType.STAFF: "staff"}
WITH_STAFF = "with_staff"


def given_answer(question: ChatMessage) -> ChatMessage | None:
    """The question's answer; one that a person's word came before is none."""
    answer: ChatMessage | None = getattr(question, "answer", None)
    return None if answer is None or answer.error == TAKEN_OVER else answer


def moment(when: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def answered(answer: ChatMessage) -> dict[str, Any]:
    """The body of POST /chat once the answer is there."""
    return {
        "success": True,
        "response": answer.content,
        "response_html": rendering.to_html(answer.content),
        "message_id": answer.reply_to_id,
        "answer_id": answer.pk,
        "status": answer.status,
        "safety": answer.safety,
        "degraded": answer.degraded,
    }


def accepted(question: str, answer: str | None, status: str) -> dict[str, Any]:
    """The body of POST /chat while the answer is not there; both by their ids."""
    return {"success": True, "message_id": question, "answer_id": answer, "status": status}


def message(row: ChatMessage) -> dict[str, Any]:
    """One message, with everything its owner may know."""
    return {
        "id": row.pk,
        "message_type": row.message_type,
        "text": row.content,
        "html": rendering.to_html(row.content),
        "status": row.status,
        "reply_to": row.reply_to_id,
        "answer_id": getattr(given_answer(row), "pk", None),
        "author": row.author,
        "safety": row.safety,
        "degraded": row.degraded,
        "timestamp": moment(row.timestamp),
    }


def pair(row: ChatMessage, session: ChatSession) -> dict[str, Any]:
    """One entry of the history: a question with its answer, or what staff said unasked."""
    is_question = row.message_type == MessageType.USER
    reply = given_answer(row) if is_question else row
    text = reply.content if reply else ""
    return {
        "id": row.pk,
        "message": row.content if is_question else "",
        "response": text,
        "response_html": rendering.to_html(text) if text else "",
        "author": reply.author if reply else "",
        "answered_by": ANSWERED_BY.get(MessageType(reply.message_type)) if reply else None,
        "answer_id": reply.pk if reply else None,
        "status": reply.status if reply else WITH_STAFF,
        "safety": bool(reply and reply.safety),
        "degraded": bool(reply and reply.degraded),
        "idempotency_key": row.client_key if is_question else None,
        "timestamp": moment(row.timestamp),
        "browser_hash": session.browser_hash,
        "ip_address": session.ip_address,
    }


def message_event(row: ChatMessage) -> dict[str, Any]:
    """The data of a `message` event."""
    return {
        "id": row.pk,
        "message_type": row.message_type,
        "text": row.content,
        "html": rendering.to_html(row.content),
        "author": row.author,
        "timestamp": moment(row.timestamp),
        "idempotency_key": row.client_key if row.message_type == MessageType.USER else None,
    }


def answer_event(row: ChatMessage) -> dict[str, Any]:
    """The data of an `answer` event, which ends an answer."""
    found = answered(row)
    del found["success"]
    return found


def status_event(session: ChatSession) -> dict[str, Any]:
    """The data of a `status` event."""
    return {"responder": session.responder, "is_active": session.is_active}
