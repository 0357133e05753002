"""Rows to what callers see: plain dictionaries, since these are made on every hot path."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chat_app import rendering
from chat_app.models import ChatMessage, MessageType
from sessions_app.models import ChatSession

ANSWERED_BY = {MessageType.ASSISTANT: "ai", MessageType.STAFF: "staff"}
WITH_STAFF = "with_staff"


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


def accepted(question: ChatMessage, answer: ChatMessage | None) -> dict[str, Any]:
    """The body of POST /chat while the answer is not there."""
    return {
        "success": True,
        "message_id": question.pk,
        "answer_id": answer.pk if answer else None,
        "status": answer.status if answer else WITH_STAFF,
    }


def message(row: ChatMessage) -> dict[str, Any]:
    """One message, with everything its owner may know."""
    return {
        "id": row.pk,
        "message_type": row.message_type,
        "text": row.content,
        "html": rendering.to_html(row.content),
        "status": row.status,
        "reply_to": row.reply_to_id,
        "answer_id": getattr(getattr(row, "answer", None), "pk", None),
        "safety": row.safety,
        "degraded": row.degraded,
        "timestamp": moment(row.timestamp),
    }


def pair(row: ChatMessage, session: ChatSession) -> dict[str, Any]:
    """One entry of the history: a question with its answer, or what staff said unasked."""
    is_question = row.message_type == MessageType.USER
    reply = getattr(row, "answer", None) if is_question else row
    text = reply.content if reply else ""
    return {
        "id": row.pk,
        "message": row.content if is_question else "",
        "response": text,
        "response_html": rendering.to_html(text) if text else "",
        "answered_by": ANSWERED_BY.get(MessageType(reply.message_type)) if reply else None,
        "answer_id": reply.pk if reply else None,
        "status": reply.status if reply else WITH_STAFF,
        "safety": bool(reply and reply.safety),
        "degraded": bool(reply and reply.degraded),
        "idempotency_key": row.client_key,
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
        "timestamp": moment(row.timestamp),
        "idempotency_key": row.client_key,
    }


def answer_event(row: ChatMessage) -> dict[str, Any]:
    """The data of an `answer` event, which ends an answer."""
    found = answered(row)
    del found["success"]
    return found


def status_event(session: ChatSession) -> dict[str, Any]:
    """The data of a `status` event."""
    return {"responder": session.responder, "is_active": session.is_active}
