"""A conversation as it reads: messages and acts of the staff in their order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from chat_app import rendering
from chat_app.answers import TAKEN_OVER
from chat_app.models import ChatMessage, MessageType
from sessions_app import audit
from sessions_app.models import AuditEntry, ChatSession, EventKind, SessionEvent

# A conversation has 100 messages of its visitor and the AI; beyond so many the latest are shown.
MOST: Final = 600

SPEAKERS: Final = {
    MessageType.USER: "Visitor",
    MessageType.ASSISTANT: "AI",
    MessageType.STAFF: "Staff",
    MessageType.SYSTEM: "System",
}
_ACTS: Final = {
    "take_over": "took over from the AI",
    "hand_back": "handed back to the AI",
    "close": "closed the conversation",
    "reopen": "opened the conversation again",
    "block": "blocked the visitor",
    "unblock": "lifted the block",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One message, or one line about what was done."""

    seq: int
    at: datetime
    message: ChatMessage | None = None
    speaker: str = ""
    html: SafeString | str = ""
    line: str = ""
    detail: str = ""
    took_ms: int | None = None

    @property
    def key(self) -> str:
        """What the item is called in the page."""
        return f"m-{self.message.pk}" if self.message else f"e-{self.seq}"


def items(session: ChatSession) -> list[Item]:
    """The conversation, in order."""
    said = ChatMessage.objects.filter(session=session).order_by("-seq")[:MOST]
    done = SessionEvent.objects.filter(session=session, kind=EventKind.STATUS)
    found = [message_item(one) for one in said if is_shown(one)]
    found += status_items(done.order_by("-seq")[:MOST])
    return sorted(found, key=lambda one: one.seq)


def changed(session_id: str, events: Collection[SessionEvent]) -> list[Item]:
    """What these events changed, as items: the messages, their answers to be, and the lines."""
    told = {one.reference for one in events if one.kind != EventKind.STATUS and one.reference}
    said: Iterable[ChatMessage] = ()
    if told:
        said = ChatMessage.objects.filter(
            Q(pk__in=told) | Q(reply_to__in=told), session_id=session_id
        ).order_by("seq")
    found = [message_item(one) for one in said if is_shown(one)]
    found += status_items([one for one in events if one.kind == EventKind.STATUS])
    return sorted(found, key=lambda one: one.seq)


def gone(session_id: str, events: Collection[SessionEvent]) -> list[str]:
    """Of what these events tell, the answers that a person's word came before."""
    told = [one.reference for one in events if one.kind == EventKind.ANSWER]
    rows = ChatMessage.objects.filter(pk__in=told, session_id=session_id, error=TAKEN_OVER)
    return list(rows.values_list("pk", flat=True)) if told else []


def is_shown(message: ChatMessage) -> bool:
    """An answer that was stopped before its first word, for a person's, is none."""
    return message.error != TAKEN_OVER


def message_item(message: ChatMessage) -> Item:
    """A message as an item."""
    took = None
    if message.finished_at and message.message_type == MessageType.ASSISTANT:
        took = round((message.finished_at - message.timestamp).total_seconds() * 1000)
    kind = MessageType(message.message_type)
    return Item(
        seq=message.seq,
        at=message.timestamp,
        message=message,
        speaker=message.author or SPEAKERS[kind],
        html=_html(message),
        took_ms=took,
    )


def status_items(events: Iterable[SessionEvent] | QuerySet[SessionEvent]) -> list[Item]:
    """Lines about what was done, by whom."""
    events = list(events)
    numbers = [one.reference.rpartition(":")[2] for one in events if one.reference]
    entries = AuditEntry.objects.in_bulk([int(n) for n in numbers if n.isdigit()])
    by_reference = {audit.reference(entry): entry for entry in entries.values()}
    return [_line(one, by_reference.get(one.reference)) for one in events]


def render(item: Item, *, may_act: bool) -> str:
    """The item as it stands in the page, for readers that have the page open."""
    context: dict[str, Any] = {"item": item, "may_act": may_act}
    return render_to_string("admin/console/item.html", context)


def _html(message: ChatMessage) -> SafeString:
    # rendering.to_html lets only its own list of tags through, whatever the text is.
    return mark_safe(rendering.to_html(message.content))  # noqa: S308  (see above)


def _line(event: SessionEvent, entry: AuditEntry | None) -> Item:
    if entry is None:
        return Item(event.seq, event.created_at, line="The conversation ended.")
    who = entry.actor_name or entry.source
    line = f"{who} {_ACTS.get(entry.act, entry.act.replace('_', ' '))}"
    where = "" if entry.source in {"admin", "visitor"} else f" (from {entry.source.title()})"
    return Item(event.seq, event.created_at, line=line + where, detail=entry.detail)
