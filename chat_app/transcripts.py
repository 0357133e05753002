"""A conversation as one plain text, without personal data but what was said in it."""

from __future__ import annotations

from chat_app.models import ChatMessage, MessageType

_WHO = {
    MessageType.USER: "Visitor",
    MessageType.ASSISTANT: "AI",
    MessageType.STAFF: "Staff",
    MessageType.SYSTEM: "System",
}


def text(*, session_id: str) -> str:
    """Everything said so far, oldest first."""
    rows = ChatMessage.objects.filter(session_id=session_id).exclude(content="").order_by("seq")
    return f"Conversation {session_id[:16]}\n\n" + "\n".join(_entry(row) for row in rows)


def _entry(row: ChatMessage) -> str:
    who = _WHO[MessageType(row.message_type)]
    if row.author:
        who = f"{who} ({row.author})"
    state = " [taken back]" if row.deleted_at else " [edited]" if row.edited_at else ""
    return f"[{row.timestamp:%Y-%m-%d %H:%M:%S} UTC] {who}{state}:\n{row.content}\n"
