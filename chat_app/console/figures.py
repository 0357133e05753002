"""The figures of a period, counted from what is stored: messages, answers, outcomes, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from chat_app.console import filters
from chat_app.models import AnswerStatus, ChatMessage, MessageType
from chatsite.core import tally
from sessions_app.models import Block, ChatSession

_MOST_DUE: Final = 10_000
_LIMITS: Final = ("chat", "chat-address", "auth", "admin-login")


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


@dataclass(frozen=True, slots=True)
class Times:
    """The median and the 95th percentile in milliseconds, to 10 ms; None of nothing."""

    p50: int | None = None
    p95: int | None = None


@dataclass(slots=True)
class Model:
    """What one model did. Cost in US dollars."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = Decimal()


@dataclass(slots=True)
class Figures:
    """All of a period; by day and by hour where a chart shows it."""

    started: Counter[date] = field(default_factory=Counter)
    said: dict[str, Counter[date]] = field(default_factory=dict)
    hours: Counter[tuple[int, int]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    models: dict[str, Model] = field(default_factory=dict)
    answers: int = 0
    degraded: int = 0
    safety: int = 0
    blocks: int = 0
    refused: int | None = 0
    first_token: Times = Times()
    answer: Times = Times()

    @property
    def conversations(self) -> int:
        """How many were started."""
        return self.started.total()

    @property
    def messages(self) -> int:
        """How many were said, by everybody."""
        return sum(days.total() for days in self.said.values())

    @property
    def cost(self) -> Decimal:
        """What the models cost, in US dollars."""
        return sum((one.cost for one in self.models.values()), Decimal())

    @property
    def tokens(self) -> int:
        """What the models read and wrote."""
        return sum(one.prompt_tokens + one.completion_tokens for one in self.models.values())


class _Centiseconds(Func):
    """The time between two moments in hundredths of a second."""

    output_field = IntegerField()

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        if connection.vendor == "postgresql":
            template = "(EXTRACT(EPOCH FROM (%(expressions)s)) * 100)::int"
            return super().as_sql(compiler, connection, template=template, arg_joiner=" - ")
        begin, end = (compiler.compile(one) for one in reversed(self.source_expressions))
        # The function that Django's own difference of moments uses there, in microseconds.
        sql = f"CAST(django_timestamp_diff({end[0]}, {begin[0]}) / 10000 AS INTEGER)"
        return sql, (*end[1], *begin[1])


def count(period: Period) -> Figures:
    """The figures of the period; seven queries, whatever its length."""
    found = Figures(said={str(kind): Counter() for kind in MessageType})
    for row in _hourly(period):
        _add(found, row)
    started = ChatSession.objects.filter(
        created_at__gte=period.since, created_at__lt=period.until
    ).order_by()
    for row in started.values(hour=TruncHour("created_at", tzinfo=UTC)).annotate(n=Count("pk")):
        found.started[row["hour"].date()] += row["n"]
        found.hours[row["hour"].weekday(), row["hour"].hour] += row["n"]
    found.outcomes = _outcomes(period)
    found.first_token = _times(
        _said(period).exclude(first_token_ms=None), F("first_token_ms") / 10
    )
    made = _said(period).filter(message_type=MessageType.ASSISTANT, status=AnswerStatus.DONE)
    found.answer = _times(
        made.exclude(model="").exclude(finished_at=None),
        _Centiseconds(F("finished_at"), F("timestamp")),
    )
    found.blocks = Block.objects.filter(
        created_at__gte=period.since, created_at__lt=period.until
    ).count()
    found.refused = tally.count(_LIMITS, period.days)
    return found


def deliveries_due() -> int:
    """How many events wait for Discord, counted no further than 10,000."""
    due = apps.get_model("notifications", "Delivery")._default_manager.filter(status="due")
    return int(due.order_by()[:_MOST_DUE].count())


def _said(period: Period) -> QuerySet[ChatMessage]:
    return ChatMessage.objects.filter(
        timestamp__gte=period.since, timestamp__lt=period.until
    ).order_by()


def _hourly(period: Period) -> Iterable[dict[str, Any]]:
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


def _add(found: Figures, row: dict[str, Any]) -> None:
    day, number = row["hour"].date(), row["n"]
    if row["message_type"] != MessageType.ASSISTANT or row["status"] == AnswerStatus.DONE:
        found.said[row["message_type"]][day] += number
    if row["message_type"] != MessageType.ASSISTANT:
        return
    if row["safety"]:
        found.safety += number
    elif row["degraded"] or row["status"] == AnswerStatus.FAILED:
        found.degraded += number
        found.failures[row["error"] or "unknown"] += number
    elif row["status"] == AnswerStatus.DONE:
        found.answers += number
    if row["model"]:
        model = found.models.setdefault(row["model"], Model())
        model.answers += number
        model.prompt_tokens += row["prompt"] or 0
        model.completion_tokens += row["completion"] or 0
        model.cost += Decimal(row["dollars"] or 0)


def _outcomes(period: Period) -> Counter[str]:
    """Conversations in which a visitor asked in the period, by who answered them in it."""
    by_session = (
        _said(period)
        .values("session_id")
        .annotate(
            asked=Count("pk", filter=Q(message_type=MessageType.USER)),
            answered=Count("pk", filter=filters.ANSWERED),
            staffed=Count("pk", filter=filters.STAFF),
        )
        .filter(asked__gt=0)
    )
    found = by_session.aggregate(
        staff=Count("session_id", filter=Q(staffed__gt=0)),
        ai=Count("session_id", filter=Q(staffed=0, answered__gt=0)),
        none=Count("session_id", filter=Q(staffed=0, answered=0)),
    )
    return Counter(found)


def _times(rows: QuerySet[ChatMessage], centiseconds: Any) -> Times:
    """Nearest-rank percentiles: grouped in the database, which is cheaper than sorting there."""
    counted = rows.values(value=centiseconds).annotate(n=Count("pk"))
    groups = sorted((row["value"], row["n"]) for row in counted)
    return Times(_percentile(groups, 0.50), _percentile(groups, 0.95))


def _percentile(groups: list[tuple[int, int]], share: float) -> int | None:
    total = sum(number for _, number in groups)
    seen = 0
    for value, number in groups:
        seen += number
        if seen >= share * total:
            return value * 10
    return None
