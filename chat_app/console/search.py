"""Finding conversations by what staff type: an address, an id, a Discord thread, or words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from chat_app import fulltext
from chat_app.console.filters import Filters
from chat_app.models import ChatMessage
from sessions_app import identity
from sessions_app.models import ChatSession

_ID = re.compile(r"[A-Za-z0-9_-]{8,32}")
_SNOWFLAKE = re.compile(r"\d{15,22}")
_BEFORE, _AFTER = 60, 140
_WINDOWS = (7, 60, None)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, and whether it was searched for."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Match:
    """One message that was found, with the surroundings of the first match."""

    message_id: str
    message_type: str
    pieces: list[Piece]


@dataclass(slots=True)
class Found:
    """The conversations, how they were found, and where words were searched, the matches."""

    sessions: QuerySet[ChatSession]
    by: str
    matches: dict[str, list[Match]] = field(default_factory=dict)
    is_cut: bool = False


def search(sessions: QuerySet[ChatSession], chosen: Filters) -> Found:
    """Of the sessions, those that the search means."""
    typed = chosen.q
    if not typed:
        return Found(sessions, "")
    if "@" in typed and (hashed := _hash(typed)):
        return Found(sessions.filter(email_hash=hashed), "address")
    if _SNOWFLAKE.fullmatch(typed):
        mirrored = sessions.filter(discord_thread__thread_id=typed)
        if mirrored.exists():
            return Found(mirrored, "Discord thread")
    if _ID.fullmatch(typed) and (named := _named(typed)):
        return Found(sessions.filter(pk__in=named), "id")
    return _by_words(sessions, chosen)


def surroundings(text: str, words: list[str]) -> list[Piece]:
    """The text about the first of the words, with every one of them marked."""
    pattern = re.compile("|".join(re.escape(word) for word in words) or r"(?!)", re.IGNORECASE)
    first = pattern.search(text)
    begin = max(0, (first.start() if first else 0) - _BEFORE)
    end = (first.end() if first else 0) + _AFTER
    shown = ("…" if begin else "") + text[begin:end] + ("…" if end < len(text) else "")
    pieces, at = [], 0
    for hit in pattern.finditer(shown):
        pieces += [Piece(shown[at : hit.start()], False), Piece(hit.group(), True)]
        at = hit.end()
    return [piece for piece in [*pieces, Piece(shown[at:], False)] if piece.text]


def _hash(typed: str) -> str:
    try:
        return identity.email_hash(identity.normalise_email(typed))
    except ValueError:
        return ""


def _named(typed: str) -> list[str]:
    """Conversations whose id begins so, else the one with a message of this id."""
    ids = list(ChatSession.objects.filter(pk__startswith=typed).values_list("pk", flat=True)[:50])
    if ids or len(typed) != 22:
        return ids
    return list(ChatMessage.objects.filter(pk=typed).values_list("session_id", flat=True))


def _by_words(sessions: QuerySet[ChatSession], chosen: Filters) -> Found:
    wanted = fulltext.terms(chosen.q)
    since, until = chosen.period
    said = fulltext.matching(wanted)
    if since:
        said = said.filter(timestamp__gte=since)
    if until:
        said = said.filter(timestamp__lt=until)
    rows = _newest(said, until or timezone.now())
    words = [one.text for one in wanted if not one.is_excluded]
    matches: dict[str, list[Match]] = {}
    for session, pk, kind, content in rows:
        matches.setdefault(session, []).append(Match(pk, kind, surroundings(content, words)))
    is_cut = len(rows) == fulltext.MOST_MATCHES
    return Found(sessions.filter(pk__in=list(matches)), "words", matches, is_cut)


def _newest(said: QuerySet[ChatMessage], until: datetime) -> list[tuple[str, str, str, str]]:
    """The newest matches: of the last days first, since a common word matches far too often."""
    found: list[tuple[str, str, str, str]] = []
    for days in _WINDOWS:
        within = said.filter(timestamp__gte=until - timedelta(days=days)) if days else said
        rows = within.order_by("-timestamp").values_list(
            "session_id", "pk", "message_type", "content"
        )
        found = list(rows[: fulltext.MOST_MATCHES])
        if len(found) == fulltext.MOST_MATCHES:
            break
    return found
