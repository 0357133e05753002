"""A page of the list of conversations: what each row shows, in a few queries for all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.utils.text import Truncator

from chat_app.answers import TAKEN_OVER
from chat_app.console import filters
from chat_app.console.access import Viewer
from chat_app.console.filters import Filters
from chat_app.console.search import Found, Match, search
from chat_app.models import UNFINISHED, ChatMessage, MessageType
from sessions_app import identity
from sessions_app.models import ChatSession

PER_PAGE: Final = 50
_EXCERPT: Final = 160
_MATCHES_SHOWN: Final = 3
# Bold, italic and code; a star with space beside it is a star.
_MARKS: Final = re.compile(r"(\*{1,3}|`+)(?=\S)([^*`\n]{1,200})(?<=\S)\1")


@dataclass(frozen=True, slots=True)
class Chip:
    """A label of a conversation, and what kind it is (the colour goes with words, never alone)."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation in the list."""

    session: ChatSession
    visitor: str
    last: ChatMessage | None
    excerpt: str
    chips: list[Chip]
    cost: Decimal | None
    matches: list[Match]
    more_matches: int


@dataclass(frozen=True, slots=True)
class Page:
    """What the list shows."""

    rows: list[Row]
    has_next: bool
    found: Found


def page(chosen: Filters, viewer: Viewer) -> Page:
    """The page that was chosen; one row more is asked for than shown, instead of a count."""
    found = search(filters.apply(chosen), chosen)
    first = (chosen.page - 1) * PER_PAGE
    sessions = list(found.sessions.select_related("contact")[first : first + PER_PAGE + 1])
    shown = sessions[:PER_PAGE]
    ids = [one.pk for one in shown]
    facts, latest = _facts(ids), _latest(ids)
    rows = [_row(one, viewer, facts.get(one.pk, {}), latest, found.matches) for one in shown]
    return Page(rows, len(sessions) > PER_PAGE, found)


def visitor(session: ChatSession, viewer: Viewer) -> str:
    """The address as this person may see it."""
    contact = getattr(session, "contact", None)
    if contact is None:
        return "(erased)"
    return contact.email if viewer.may_see_personal else identity.mask(contact.email)


def _latest(ids: list[str]) -> dict[str, ChatMessage]:
    """What was said last in each; of these only, since rows that a page skips would pay too."""
    said = ChatMessage.objects.filter(session=OuterRef("pk"), deleted_at=None)
    said = said.exclude(error=TAKEN_OVER).exclude(status__in=UNFINISHED)
    last = said.order_by("-seq").values("pk")[:1]
    named = ChatSession.objects.filter(pk__in=ids).values_list(Subquery(last))
    return {one.session_id: one for one in ChatMessage.objects.filter(pk__in=named)}


def _facts(ids: list[str]) -> dict[str, dict[str, Any]]:
    rows = (
        ChatMessage.objects.filter(session_id__in=ids)
        .order_by()
        .values(key=F("session_id"))
        .annotate(
            cost=Sum("cost"),
            safety=Count("pk", filter=Q(safety=True, message_type=MessageType.USER)),
            screened=Count("pk", filter=filters.SCREENED),
            degraded=Count("pk", filter=Q(degraded=True)),
            staff=Count("pk", filter=filters.STAFF),
        )
    )
    return {row["key"]: dict(row) for row in rows}


def _row(
    session: ChatSession,
    viewer: Viewer,
    facts: dict[str, Any],
    latest: dict[str, ChatMessage],
    matches: dict[str, list[Match]],
) -> Row:
    last = latest.get(session.pk)
    found = matches.get(session.pk, [])
    return Row(
        session=session,
        visitor=visitor(session, viewer),
        last=last,
        excerpt=_excerpt(last) if last else "",
        chips=_chips(last, facts),
        cost=facts.get("cost"),
        matches=found[:_MATCHES_SHOWN],
        more_matches=max(0, len(found) - _MATCHES_SHOWN),
    )


def _excerpt(last: ChatMessage) -> str:
    """Its beginning; of an answer without the marks of Markdown, which are no words."""
    text = last.content[: _EXCERPT * 2]
    if last.message_type != MessageType.USER:
        text = _MARKS.sub(r"\2", text)
    return Truncator(text).chars(_EXCERPT)


def _chips(last: ChatMessage | None, facts: dict[str, Any]) -> list[Chip]:
    chips = []
    if last is not None and is_waiting(last):
        chips.append(Chip("Unanswered", "warn"))
    if facts.get("degraded"):
        chips.append(Chip("No model answered", "bad"))
    if facts.get("safety"):
        chips.append(Chip("Safety answer", "bad"))
    elif facts.get("screened"):
        chips.append(Chip("Screened", "warn"))
    if facts.get("staff"):
        chips.append(Chip("With staff", "staff"))
    return chips


def is_waiting(last: ChatMessage) -> bool:
    """Whether the last word leaves the visitor without an answer."""
    return last.message_type == MessageType.USER or last.status in UNFINISHED or last.degraded
