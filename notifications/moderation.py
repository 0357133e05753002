"""What a moderator's act in Discord does: the shared rules, once for a message or interaction.

Synchronous, and without discord: the bot calls it, tests may."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from chat_app import snippets, staff, transcripts, writing
from chat_app.models import ChatMessage, MessageType
from chatsite.core.errors import InvalidInput
from notifications import embeds, jobs
from notifications.models import Delivery, DiscordThread, Receipt
from sessions_app import audit, blocks
from sessions_app import staff as sessions
from sessions_app.audit import Actor
from sessions_app.models import Act

_DURATION = re.compile(r"(\d{1,4})\s*([mhdw])", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def find_session(*, channel_id: int | str, message_id: int | str | None = None) -> str | None:
    """The conversation whose thread this is, or whose card this message is."""
    where = Q(thread_id=str(channel_id))
    if message_id:
        where |= Q(message_id=str(message_id))
    thread = DiscordThread.objects.filter(where).first()
    return str(thread.session_id) if thread else None


def once(*, key: str, session_id: str, act: Callable[[], str]) -> str | None:
    """What `act` says, or None where this key took effect before.

    The receipt is written with the effect: an act that fails leaves none and may be tried again.
    """
    try:
        with transaction.atomic():
            with transaction.atomic():
                Receipt.objects.create(id=key, session_id=session_id)
            return act()
    except IntegrityError:
        if Receipt.objects.filter(pk=key).exists():
            return None
        raise


def reply(*, session_id: str, text: str, actor: Actor, key: str, thread_id: str = "") -> str:
    """Say it to the visitor, once for the key."""
    author = actor.name if settings.DISCORD_SHOW_MODERATOR_NAME else ""
    said = staff.post_message(
        session_id=session_id, text=text, actor=actor, author=author, client_key=f"discord:{key}"
    )
    Receipt.objects.filter(pk=key).update(message_id=said.pk, thread_id=thread_id)
    return "✅ Sent to the visitor."


def take_over(*, session_id: str, actor: Actor) -> str:
    """Silence the AI."""
    if staff.take_over(session_id=session_id, actor=actor):
        return "🧑 The conversation is yours; the AI is silent."
    return "A person has this conversation already."


def hand_back(*, session_id: str, actor: Actor) -> str:
    """Let the AI answer again."""
    if staff.hand_back(session_id=session_id, actor=actor):
        return "🤖 The AI answers what is asked from now on."
    return "The AI has this conversation already."


def writing_in(*, channel_id: int | str, message_id: int | str | None = None) -> None:
    """Show the visitor of this thread, or of this card, that a person writes to them."""
    if session_id := find_session(channel_id=channel_id, message_id=message_id):
        writing.tell(session_id=session_id, who=writing.STAFF)


def close(*, session_id: str, actor: Actor, text: str = "") -> str:
    """End the conversation as settled."""
    if staff.close(session_id=session_id, actor=actor, text=text):
        return "🔒 Closed. The visitor's next message opens it again."
    return "This conversation is closed already."


def reopen(*, session_id: str, actor: Actor) -> str:
    """Open the conversation again."""
    if sessions.reopen(session_id=session_id, actor=actor):
        return "🔓 Open again."
    return "This conversation is open already."


def block(*, session_id: str, duration: str, reason: str, actor: Actor) -> str:
    """Keep the visitor out."""
    made = blocks.block(
        session_id=session_id, duration=parse_duration(duration), reason=reason, actor=actor
    )
    return f"⛔ Blocked until {made.expires_at:%Y-%m-%d %H:%M} UTC."


def unblock(*, session_id: str, actor: Actor) -> str:
    """Let the visitor in again."""
    lifted = blocks.unblock(session_id=session_id, actor=actor)
    return "✅ No longer blocked." if lifted else "Nothing blocks this visitor."


def reveal(*, session_id: str, actor: Actor) -> str:
    """The visitor's personal data, for this moderator's eyes."""
    found = sessions.reveal(session_id=session_id, actor=actor)
    return embeds.personal_data(email=found.email or "unknown", address=found.address)


def send_snippet(*, session_id: str, name: str, actor: Actor, key: str, thread_id: str = "") -> str:
    """Say a canned reply."""
    text = snippets.get(name=name).text
    return reply(session_id=session_id, text=text, actor=actor, key=key, thread_id=thread_id)


def transcript(*, session_id: str, actor: Actor) -> tuple[str, str]:
    """The conversation as text, and the address of its page in the admin, empty without one."""
    audit.record(actor=actor, act=Act.TRANSCRIPT, session_id=session_id)
    return transcripts.text(session_id=session_id), jobs.admin_url(session_id)


def edit(*, session_id: str, message_id: str, text: str, actor: Actor) -> str:
    """Correct what staff said."""
    staff.edit_message(session_id=session_id, message_id=message_id, text=text, actor=actor)
    return "✅ Corrected for the visitor."


def delete(*, session_id: str, message_id: str, actor: Actor) -> str:
    """Take back what staff said."""
    staff.delete_message(session_id=session_id, message_id=message_id, actor=actor)
    return "🗑️ Taken back from the visitor."


def text_of(*, session_id: str, message_id: str) -> str:
    """What staff said, to be corrected; empty where it is not there."""
    found = ChatMessage.objects.filter(pk=message_id, session_id=session_id, deleted_at=None)
    return found.values_list("content", flat=True).first() or ""


def source_of(*, message_id: int) -> tuple[str, str] | None:
    """The session and message that a moderator's own message in Discord became, if it did."""
    taken = Receipt.objects.filter(pk=message_key(message_id)).exclude(message_id="").first()
    return (str(taken.session_id), taken.message_id) if taken else None


def mirrored(*, channel_id: int, discord_id: int) -> tuple[str, str] | None:
    """The session and message of staff that this message of a thread shows, or a part of."""
    session_id = find_session(channel_id=channel_id)
    if session_id is None:
        return None
    staffs = ChatMessage.objects.filter(session=session_id, message_type=MessageType.STAFF)
    # By way of the thread: no index finds what stands in a list.
    sent = Delivery.objects.filter(
        event__session=session_id, event__kind__in=jobs.OF_WORDS
    ).values_list("event__reference", "message_ids")
    named = [reference for reference, ids in sent if str(discord_id) in ids]
    for said in staffs.filter(pk__in=named):
        if str(discord_id) in jobs.shown(said):
            return session_id, said.pk
    return None


def message_key(message_id: int | str) -> str:
    """The receipt of a message."""
    return f"m:{message_id}"


def interaction_key(interaction_id: int | str) -> str:
    """The receipt of an interaction."""
    return f"i:{interaction_id}"


def parse_duration(text: str) -> timedelta:
    """`30m`, `12h`, `7d`, `2w`; raises InvalidInput."""
    found = _DURATION.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise InvalidInput("Say how long: 30m, 12h, 7d or 2w.")
    return timedelta(**{_UNITS[found[2].lower()]: int(found[1])})
