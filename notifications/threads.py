"""What the bot has seen in each thread, so that nothing is missed while it is away."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from notifications import moderation
from notifications.models import DiscordThread, Receipt

# How far back an edit or a deletion that happened meanwhile is looked for.
_CORRECTIONS = timedelta(days=1)
_MOST = 1000


def last_seen() -> dict[str, str]:
    """By thread, the last message dealt with; the latest conversations first.

    Of the open ones, and of those in which moderators said something lately by writing it, which
    they may have corrected although the conversation has ended.
    """
    lately = Receipt.objects.filter(_since(), thread_id=OuterRef("thread_id"))
    found = DiscordThread.objects.filter(Q(session__is_active=True) | Exists(lately)).order_by(
        "-session__last_activity"
    )
    return {
        thread: seen or thread
        for thread, seen in found.values_list("thread_id", "last_seen_id")[:_MOST]
    }


def saw(*, thread_id: str, message_id: int) -> None:
    """Remember that everything up to this message was dealt with."""
    thread = _thread(thread_id).first()
    if thread and int(thread.last_seen_id or 0) < message_id:
        _thread(thread_id).update(last_seen_id=str(message_id))


def recent_sources(*, thread_id: str) -> dict[int, tuple[str, str, str]]:
    """By id, the messages in the thread that were said lately: session, message, text."""
    taken = Receipt.objects.filter(_since(), thread_id=thread_id)
    said = {}
    for receipt in taken:
        text = moderation.text_of(session_id=str(receipt.session_id), message_id=receipt.message_id)
        if text:
            found = (str(receipt.session_id), receipt.message_id, text)
            said[int(receipt.pk.removeprefix("m:"))] = found
    return said


def _since() -> Q:
    return Q(pk__startswith="m:", created_at__gt=timezone.now() - _CORRECTIONS)


def _thread(thread_id: str) -> QuerySet[DiscordThread]:
    return DiscordThread.objects.filter(thread_id=thread_id)
