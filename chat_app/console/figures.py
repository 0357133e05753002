"""The counts of each day, from what is stored: messages, answers, outcomes, times, cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import TruncDay, TruncHour

from chat_app.models import AnswerStatus, ChatMessage, MessageType
from chatsite.core import tally
from sessions_app.models import Block, ChatSession

_MOST_DUE: Final = 10_000
_LIMITS: Final = (
    "chat",
    "chat-email",
    "chat-address",
    "chat-slow",
    "auth",
    "auth-email",
    "sessions",
    "admin-login",
)

# What `values` and `annotate` give: dictionaries of what was asked for.
_Rows = Any


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of UTC, `until` not included."""

    since: datetime
    until: datetime

    @property
    def days(self) -> list[date]:
        """Its days, in order."""
        count = (self.until - self.since).days
        return [(self.since + timedelta(days=n)).date() for n in range(count)]

    @property
    def before(self) -> Period:
        """The one as long before it."""
        return Period(self.since - (self.until - self.since), self.since)


@dataclass(slots=True)
class Model:
    """What one model did. Cost in US dollars."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = Decimal()


@dataclass(slots=True)
class Day:
    """One day's counts. Times are counted by hundredths of a second, so that days add up."""

    started: int = 0
    said: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    said_hours: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    models: dict[str, Model] = field(default_factory=dict)
    degraded: int = 0
    safety: int = 0
    blocks: int = 0
    first_token: Counter[int] = field(default_factory=Counter)
    answer: Counter[int] = field(default_factory=Counter)


def count(period: Period) -> dict[date, Day]:
    """The counts of each day of the period; five queries, whatever its length."""
    found = {day: Day() for day in period.days}
    for row in _hourly(period):
        _add(found[row["hour"].date()], row)
    for row in _sessions(period):
        _add_session(found[row["hour"].date()], row)
    for name, rows in (("first_token", _first_tokens(period)), ("answer", _answers(period))):
        for row in rows:
            getattr(found[row["day"].date()], name)[row["value"]] += row["n"]
    for made in _within(Block.objects.all(), "created_at", period).values_list("created_at"):
        found[made[0].astimezone(UTC).date()].blocks += 1
    return found


def is_more(period: Period, *, than: int) -> bool:
    """Whether more than so many messages were said in the period."""
    # In an order, or PostgreSQL reads the table from its beginning to find the period.
    said = _said(period).order_by("timestamp").values_list("pk", flat=True)
    return bool(said[than : than + 1])


def refused(period: Period) -> int | None:
    """How many requests were over a limit; None while Redis is away."""
    return tally.count(_LIMITS, period.days)


def deliveries_due() -> int:
    """How many events wait for Discord, counted no further than 10,000."""
    due = apps.get_model("notifications", "Delivery")._default_manager.filter(status="due")
    return int(due.order_by()[:_MOST_DUE].count())


class _Centiseconds(Func):
    """The time between two moments in hundredths of a second."""

    output_field = IntegerField()

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        """EXTRACT, or on SQLite the function that Django's own differences use there."""
        if connection.vendor == "postgresql":
            template = "(EXTRACT(EPOCH FROM (%(expressions)s)) * 100)::int"
            return super().as_sql(compiler, connection, template=template, arg_joiner=" - ")
        end, begin = (compiler.compile(one) for one in self.source_expressions)
        sql = f"CAST(django_timestamp_diff({end[0]}, {begin[0]}) / 10000 AS INTEGER)"
        return sql, (*end[1], *begin[1])


def _within(rows: QuerySet[Any], moment: str, period: Period) -> QuerySet[Any]:
    return rows.filter(**{f"{moment}__gte": period.since, f"{moment}__lt": period.until}).order_by()


def _said(period: Period) -> QuerySet[ChatMessage]:
    return _within(ChatMessage.objects.all(), "timestamp", period)


def _hourly(period: Period) -> _Rows:
    return (
        _said(period)
        .values(
            "message_type", "status", "degraded", "safety", "error", "model",
            hour=TruncHour("timestamp", tzinfo=UTC),
        )
        .annotate(
            n=Count("pk"),
            prompt=Sum("prompt_tokens"),
            completion=Sum("completion_tokens"),
            dollars=Sum("cost"),
        )
    )  # fmt: skip


def _sessions(period: Period) -> _Rows:
    """Conversations that were started in the period, by hour and by who has answered in them."""
    said = ChatMessage.objects.filter(session=OuterRef("pk"))
    answered = said.filter(
        message_type=MessageType.ASSISTANT, status=AnswerStatus.DONE, degraded=False, safety=False
    )
    # In this order: few are looked at further than their first answer.
    outcome = Case(
        When(Exists(said.filter(message_type=MessageType.STAFF)), then=Value("staff")),
        When(Exists(answered), then=Value("ai")),
        When(Exists(said.filter(message_type=MessageType.USER)), then=Value("none")),
        default=Value(""),
    )
    started = _within(ChatSession.objects.all(), "created_at", period)
    hours = started.annotate(hour=TruncHour("created_at", tzinfo=UTC), outcome=outcome)
    return hours.values("hour", "outcome").annotate(n=Count("pk"))


def _first_tokens(period: Period) -> _Rows:
    said = _said(period).exclude(first_token_ms=None)
    return _by_day(said, F("first_token_ms") / 10)


def _answers(period: Period) -> _Rows:
    made = _said(period).filter(message_type=MessageType.ASSISTANT, status=AnswerStatus.DONE)
    took = _Centiseconds(F("finished_at"), F("timestamp"))
    return _by_day(made.exclude(model="").exclude(finished_at=None), took)


def _by_day(rows: QuerySet[ChatMessage], value: Any) -> _Rows:
    day = TruncDay("timestamp", tzinfo=UTC)
    return rows.values(day=day, value=value).annotate(n=Count("pk"))


def _add(day: Day, row: dict[str, Any]) -> None:
    number = row["n"]
    is_answer = row["message_type"] == MessageType.ASSISTANT
    if not is_answer or row["status"] == AnswerStatus.DONE:
        day.said[row["message_type"]] += number
        day.said_hours[row["hour"].hour] += number
    if is_answer:
        _add_answer(day, row)


def _add_answer(day: Day, row: dict[str, Any]) -> None:
    number = row["n"]
    if row["safety"]:
        day.safety += number
    elif row["degraded"] or row["status"] == AnswerStatus.FAILED:
        day.degraded += number
        day.failures[row["error"] or "unknown"] += number
    elif row["status"] == AnswerStatus.DONE and row["error"]:
        day.fallbacks[row["error"]] += number
    if row["model"]:
        model = day.models.setdefault(row["model"], Model())
        model.answers += number
        model.prompt_tokens += row["prompt"] or 0
        model.completion_tokens += row["completion"] or 0
        model.cost += Decimal(row["dollars"] or 0)


def _add_session(day: Day, row: dict[str, Any]) -> None:
    day.started += row["n"]
    day.hours[row["hour"].hour] += row["n"]
    if row["outcome"]:
        day.outcomes[row["outcome"]] += row["n"]
