"""The counts of days that are over: made by beat, kept, and read by the dashboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from chat_app.console import figures
from chat_app.console.figures import Day, Model, Period
from chat_app.models import DayFigures
from sessions_app.models import ChatSession

# So many days are counted at once: it bounds a query's time, and what one round of beat does.
_AT_ONCE: Final = 7
_A_ROUND: Final = 28
# The fields of a day, by what they are counted by.
PLAIN: Final = ("started", "degraded", "safety", "blocks")
_BY_WORD: Final = ("said", "outcomes", "failures", "fallbacks")
_BY_NUMBER: Final = ("hours", "said_hours", "first_token", "answer")
COUNTERS: Final = (*_BY_WORD, *_BY_NUMBER)


def kept(period: Period) -> dict[date, Day]:
    """The days of the period that are counted."""
    rows = DayFigures.objects.filter(day__gte=period.days[0], day__lte=period.days[-1])
    return {day: unpack(data) for day, data in rows.values_list("day", "data")}


def keep_due() -> int:
    """Count days that are over and not kept yet, the latest first; how many were counted."""
    due = _due()[:_A_ROUND]
    for first in range(0, len(due), _AT_ONCE):
        _keep(due[first : first + _AT_ONCE])
    return len(due)


def recount(*, since: date) -> None:
    """Count all days since this one anew: rows were written into them afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL statement_timeout = 0")
        DayFigures.objects.filter(day__gte=since).delete()
        if due := [day for day in _due() if day >= since]:
            _keep(due)


def is_over(day: date) -> bool:
    """Whether nothing more can be said in a conversation that was started on this day."""
    last = midnight(day) + timedelta(days=1, hours=settings.JWT_EXPIRE_HOURS + 1)
    return last < timezone.now()


def midnight(day: date) -> datetime:
    """The day's beginning, in UTC as all days here."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def span(days: Sequence[date]) -> Period:
    """From the first to the last of these days."""
    return Period(midnight(min(days)), midnight(max(days)) + timedelta(days=1))


def _due() -> list[date]:
    """All days that are over, since the first conversation, but for the kept ones."""
    first = ChatSession.objects.order_by("created_at").values_list("created_at", flat=True).first()
    if first is None:
        return []
    counted = set(DayFigures.objects.values_list("day", flat=True))
    days = Period(midnight(first.astimezone(UTC).date()), timezone.now()).days
    return [day for day in reversed(days) if day not in counted and is_over(day)]


def _keep(days: Sequence[date]) -> None:
    found = figures.count(span(days))
    rows = [DayFigures(day=day, data=pack(found[day])) for day in days]
    # Another worker that counted the same has counted the same.
    DayFigures.objects.bulk_create(rows, ignore_conflicts=True)


def pack(day: Day) -> dict[str, Any]:
    """The day as JSON."""
    models = {
        name: [one.answers, one.prompt_tokens, one.completion_tokens, str(one.cost)]
        for name, one in day.models.items()
    }
    counters = {name: dict(getattr(day, name)) for name in COUNTERS}
    return {**{name: getattr(day, name) for name in PLAIN}, **counters, "models": models}


def unpack(data: dict[str, Any]) -> Day:
    """The day that was packed."""

    def numbers(name: str) -> Counter[int]:
        return Counter({int(key): number for key, number in data[name].items()})

    counts: dict[str, Any] = {name: data[name] for name in PLAIN}
    counts |= {name: Counter(data[name]) for name in _BY_WORD}
    counts |= {name: numbers(name) for name in _BY_NUMBER}
    models = {
        name: Model(answers, read, written, Decimal(cost))
        for name, (answers, read, written, cost) in data["models"].items()
    }
    return Day(**counts, models=models)
