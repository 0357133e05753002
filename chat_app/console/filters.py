"""What conversations a list shows: the query string of its page, read and applied."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.http import QueryDict
from django.utils.dateparse import parse_date

from chat_app.answers import TAKEN_OVER
from chat_app.models import UNFINISHED, AnswerStatus, ChatMessage, MessageType
from sessions_app.models import ChatSession

# What has to look into every conversation looks into the newest so many.
NEWEST: Final = 5_000

WHO: Final = (("ai", "AI"), ("human", "Person"))
STATE: Final = (("open", "Open"), ("closed", "Closed"))
LABELS: Final = (
    ("unanswered", "Unanswered"),
    ("staff", "With staff"),
    ("screened", "Screened"),
    ("safety", "Safety answer"),
    ("degraded", "No model answered"),
    ("fallback", "Another model answered"),
    ("ai_only", "AI alone"),
)
LEAST: Final = (("5", "5 or more"), ("20", "20 or more"), ("40", "40 or more"))
COST: Final = (("0.001", "$0.001 or more"), ("0.01", "$0.01 or more"), ("0.1", "$0.10 or more"))
_MANY_PAGES: Final = 400

STAFF: Final = Q(message_type=MessageType.STAFF)
SCREENED: Final = ~Q(labels=[])
FELL_BACK: Final = Q(status=AnswerStatus.DONE) & ~Q(error="")
ANSWERED: Final = Q(
    message_type=MessageType.ASSISTANT, status=AnswerStatus.DONE, degraded=False, safety=False
)
WAITS: Final = (
    Q(message_type=MessageType.USER)
    | Q(status__in=[str(status) for status in UNFINISHED])
    | Q(degraded=True)
)
# Each has a small index of its own.
_RARE: Final = {
    "staff": STAFF,
    "safety": Q(safety=True),
    "degraded": Q(degraded=True),
    "fallback": FELL_BACK,
    "screened": SCREENED,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """The choices, each empty where nothing is chosen. Days are UTC, `until` included."""

    q: str = ""
    who: str = ""
    state: str = ""
    label: str = ""
    least: str = ""
    cost: str = ""
    model: str = ""
    since: str = ""
    until: str = ""
    page: int = 1

    @property
    def is_any(self) -> bool:
        """Whether anything is chosen."""
        return bool(self.query(page=1))

    @property
    def is_bounded(self) -> bool:
        """Whether only the newest conversations are looked into."""
        return bool(self.cost or self.model) or self.label in {"unanswered", "ai_only"}

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """The period's beginning and end, the end not included."""
        end = _midnight(self.until)
        return _midnight(self.since), end + timedelta(days=1) if end else None

    def query(self, **changes: str | int) -> str:
        """The query string of this list with some choices changed."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        chosen = {one.name: getattr(changed, one.name) for one in fields(changed)}
        return urlencode({name: v for name, v in chosen.items() if v and (name, v) != ("page", 1)})


def read(given: QueryDict) -> Filters:
    """The choices of a query string; what is no choice is none."""

    def one_of(name: str, choices: tuple[tuple[str, str], ...]) -> str:
        value = given.get(name, "")
        return value if value in dict(choices) else ""

    page = given.get("page", "")
    return Filters(
        q=given.get("q", "").replace("\0", "").strip()[:200],
        who=one_of("who", WHO),
        state=one_of("state", STATE),
        label=one_of("label", LABELS),
        least=one_of("least", LEAST),
        cost=one_of("cost", COST),
        model=given.get("model", "").replace("\0", "").strip()[:128],
        since=_day(given.get("since", "")),
        until=_day(given.get("until", "")),
        page=min(int(page), _MANY_PAGES) if page.isascii() and page.isdigit() and page > "0" else 1,
    )


def apply(chosen: Filters) -> QuerySet[ChatSession]:
    """The conversations of these choices but for the search, the latest first."""
    found = ChatSession.objects.order_by("-last_activity", "-id")
    since, until = chosen.period
    if since:
        found = found.filter(last_activity__gte=since)
    if until:
        found = found.filter(created_at__lt=until)
    if chosen.who:
        found = found.filter(responder=chosen.who)
    if chosen.state:
        found = found.filter(is_active=chosen.state == "open")
    if chosen.least:
        found = found.filter(message_count__gte=int(chosen.least))
    if chosen.is_bounded:
        found = _newest(found)
    if chosen.cost:
        costs = _messages().values("session").annotate(total=Sum("cost")).values("total")
        found = found.alias(total=Subquery(costs)).filter(total__gte=Decimal(chosen.cost))
    if chosen.model:
        found = found.filter(Exists(_messages().filter(model=chosen.model)))
    return _labelled(found, chosen) if chosen.label else found


def _labelled(found: QuerySet[ChatSession], chosen: Filters) -> QuerySet[ChatSession]:
    if chosen.label == "unanswered":
        return found.alias(is_waiting=_is_waiting()).filter(is_waiting=True)
    if chosen.label == "ai_only":
        return found.filter(
            Exists(_messages().filter(ANSWERED)), ~Exists(_messages().filter(STAFF))
        )
    since, until = chosen.period
    within = ChatMessage.objects.filter(_RARE[chosen.label])
    if since:
        within = within.filter(timestamp__gte=since)
    if until:
        within = within.filter(timestamp__lt=until)
    return found.filter(pk__in=within.values("session_id"))


def _messages() -> QuerySet[ChatMessage]:
    return ChatMessage.objects.filter(session=OuterRef("pk"))


def _is_waiting() -> Subquery:
    """Whether the last word is the visitor's, or no answer worth the name."""
    said = _messages().exclude(error=TAKEN_OVER).filter(deleted_at=None)
    waits = Case(When(WAITS, then=True), default=False, output_field=BooleanField())
    return Subquery(said.annotate(waits=waits).order_by("-seq").values("waits")[:1])


def _newest(found: QuerySet[ChatSession]) -> QuerySet[ChatSession]:
    edge = ChatSession.objects.order_by("-last_activity").values_list("last_activity", flat=True)
    oldest = edge[NEWEST - 1 : NEWEST].first()
    return found.filter(last_activity__gte=oldest) if oldest else found


def _day(value: str) -> str:
    try:
        return value if parse_date(value) else ""
    except ValueError:
        return ""


def _midnight(value: str) -> datetime | None:
    day: date | None = parse_date(value) if value else None
    return datetime.combine(day, time.min, tzinfo=UTC) if day else None
