"""What moderators see in Discord: every event as embeds within Discord's limits; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from notifications import inert

Embed = dict[str, Any]

# https://docs.discord.com/developers/resources/message#embed-object-embed-limits
MOST_DESCRIPTION: Final = 4000
MOST_FIELD: Final = 1024
THREAD_MINUTES: Final = 1440

_OPENING, _USER, _ASSISTANT, _STAFF, _NOTE = 0x3366FF, 0x00FF00, 0xFF9900, 0x9B59B6, 0x95A5A6
_KINDS: Final = {
    "user": ("👤 User Message", _USER),
    "assistant": ("🤖 Assistant Response", _ASSISTANT),
    "staff": ("🧑‍💼 Staff Reply", _STAFF),
    "system": ("⚙️ System Message", _NOTE),
}
# What interactions of ours begin with.
PREFIX: Final = "chatsite:"


@dataclass(frozen=True, slots=True)
class Button:
    """A button; with a `url` it is a link and has no `act`."""

    label: str
    act: str = ""
    style: Literal["primary", "secondary", "success", "danger"] = "secondary"
    url: str = ""

    @property
    def custom_id(self) -> str:
        """What Discord hands back when it is pressed."""
        return f"{PREFIX}{self.act}"


@dataclass(frozen=True, slots=True)
class Post:
    """One message; `marker` is in its footer and in no other message of the thread."""

    embed: Embed
    marker: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """What the opening embed tells of a conversation."""

    session_id: str
    created_at: datetime
    email: str
    address: str
    shows_personal_data: bool
    is_verified: bool
    earlier: int
    has_person: bool
    holder: str
    is_active: bool
    closed_by: str
    admin_url: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation, at its place in the order of events."""

    seq: int
    message_id: str
    kind: str
    text: str
    when: datetime
    author: str = ""
    remarks: tuple[tuple[str, str], ...] = ()
    is_edited: bool = False
    is_deleted: bool = False


def thread_name(session_id: str) -> str:
    """What a conversation's thread is called, for good: renames are few (2 in 10 minutes)."""
    return f"Session {session_id[:8]}"


def card(told: Card) -> Post:
    """The opening embed with its buttons, as the conversation is now."""
    marker = f"#1 · {told.session_id[:16]}"
    embed: Embed = {
        "title": "🚀 New Chat Session",
        "color": _OPENING,
        "timestamp": told.created_at.isoformat(),
        "fields": _card_fields(told),
        "footer": {"text": marker},
    }
    return Post(embed, marker, _card_buttons(told))


def message(said: Said) -> list[Post]:
    """What was said, continued over as many messages as it needs."""
    title, colour = _KINDS[said.kind]
    texts = inert.pieces(said.text, most=MOST_DESCRIPTION)
    return [
        _part(said, text, _title(title, said, number, len(texts)), colour, number, len(texts))
        for number, text in enumerate(texts, start=1)
    ]


def parts(text: str) -> int:
    """How many messages the text needs."""
    return len(inert.pieces(text, most=MOST_DESCRIPTION))


def note(*, seq: int, text: str, when: datetime) -> Post:
    """One line of ours among what was said; `text` may quote strangers and is defused."""
    marker = f"#{seq}"
    embed: Embed = {
        "description": inert.defuse(text)[:MOST_DESCRIPTION],
        "color": _NOTE,
        "timestamp": when.isoformat(),
        "footer": {"text": marker},
    }
    return Post(embed, marker)


def superseded(marker: str) -> Post:
    """What stands where a text was continued that has become shorter."""
    return Post({"description": "…", "color": _STAFF, "footer": {"text": marker}}, marker)


def personal_data(*, email: str, address: str) -> str:
    """What *Reveal* answers."""
    return f"E-mail: {inert.defuse(email)}\nIP address: {address}"


def _card_fields(told: Card) -> list[dict[str, Any]]:
    email = inert.defuse(told.email)[:MOST_FIELD] or "unknown"
    fields = [_field("Session ID", told.session_id[:16]), _field("Email", email)]
    if told.shows_personal_data:
        fields.append(_field("IP Address", told.address))
    fields += [
        _field("Answered by", f"🧑 {inert.defuse(told.holder)}" if told.has_person else "🤖 AI"),
        _field("State", "🟢 open" if told.is_active else f"🔒 {_ended(told.closed_by)}"),
        _field("Verified", "✅ yes" if told.is_verified else "no"),
    ]
    if told.earlier:
        fields.append(_field("Earlier sessions", str(told.earlier)))
    return fields


def _card_buttons(told: Card) -> tuple[Button, ...]:
    buttons: list[Button] = []
    if told.is_active:
        buttons.append(Button("Reply", "reply", "primary"))
        if told.has_person:
            buttons.append(Button("Hand back", "handback"))
        else:
            buttons.append(Button("Take over", "takeover", "success"))
        buttons.append(Button("Close", "close", "danger"))
    else:
        buttons.append(Button("Reopen", "reopen", "success"))
    if not told.shows_personal_data:
        buttons.append(Button("Reveal", "reveal"))
    if told.admin_url:
        buttons.append(Button("Open in admin", url=told.admin_url))
    return tuple(buttons)


def _ended(closed_by: str) -> str:
    who, _, name = closed_by.partition(":")
    if who == "staff":
        return f"closed by {inert.defuse(name)}"
    known = {"visitor": "ended by the visitor", "expiry": "expired", "block": "blocked"}
    return known.get(who, "closed")


def _title(title: str, said: Said, number: int, count: int) -> str:
    state = " (deleted)" if said.is_deleted else " (edited)" if said.is_edited else ""
    return f"{title}{state}" + (f" (continued {number}/{count})" if number > 1 else "")


def _part(said: Said, text: str, title: str, colour: int, number: int, count: int) -> Post:
    marker = f"#{said.seq}" if count == 1 else f"#{said.seq} · {number}/{count}"
    fields = [_field("Message ID", said.message_id)]
    if number == count:
        fields += [_field(name, inert.defuse(value)) for name, value in _remarks(said)]
    embed: Embed = {
        "title": title,
        "description": text,
        "color": colour,
        "timestamp": said.when.isoformat(),
        "fields": fields,
        "footer": {"text": marker},
    }
    last = number == count and said.kind == "staff" and not said.is_deleted
    return Post(embed, marker, _staff_buttons(said.message_id) if last else ())


def _remarks(said: Said) -> Sequence[tuple[str, str]]:
    return [("From", said.author)] * bool(said.author) + list(said.remarks)


def _staff_buttons(message_id: str) -> tuple[Button, ...]:
    return (Button("Edit", f"edit:{message_id}"), Button("Delete", f"delete:{message_id}"))


def _field(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value[:MOST_FIELD] or "–", "inline": True}
