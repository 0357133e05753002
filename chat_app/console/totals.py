"""A period's figures: the sum of its days. Days that are over are counted once and kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from chat_app.console import figures
from chat_app.console.figures import Day, Model, Period
from chat_app.models import DayFigures

# So many days are counted at once where none is kept yet: it bounds a query's time.
_AT_ONCE = 7


@dataclass(frozen=True, slots=True)
class Times:
    """The median and the 95th percentile in milliseconds, to 10 ms; None of nothing."""

    p50: int | None = None
    p95: int | None = None


@dataclass(slots=True)
class Figures:
    """All of a period, and each of its days."""

    days: dict[date, Day]
    refused: int | None = 0
    sum: Day = field(default_factory=Day)

    def __post_init__(self) -> None:
        for day in self.days.values():
            _merge(self.sum, day)

    @property
    def messages(self) -> int:
        """How many were said, by everybody."""
        return self.sum.said.total()

    @property
    def cost(self) -> Decimal:
        """What the models cost, in US dollars."""
        return sum((one.cost for one in self.sum.models.values()), Decimal())

    @property
    def tokens(self) -> int:
        """What the models read and wrote."""
        return sum(one.prompt_tokens + one.completion_tokens for one in self.sum.models.values())

    @property
    def first_token(self) -> Times:
        """How long visitors waited for the first token."""
        return _times(self.sum.first_token)

    @property
    def answer(self) -> Times:
        """How long visitors waited for whole answers."""
        return _times(self.sum.answer)

    @property
    def hours(self) -> dict[tuple[int, int], int]:
        """Conversations started by weekday (Monday is 0) and hour."""
        found: Counter[tuple[int, int]] = Counter()
        for day, one in self.days.items():
            for hour, number in one.hours.items():
                found[day.weekday(), hour] += number
        return found


def of(period: Period) -> Figures:
    """The figures of the period."""
    kept = {
        row.day: _unpack(row.data)
        for row in DayFigures.objects.filter(day__gte=period.days[0], day__lte=period.days[-1])
    }
    missing = [day for day in period.days if day not in kept]
    for first in range(0, len(missing), _AT_ONCE):
        kept |= _count(missing[first : first + _AT_ONCE])
    days = {day: kept[day] for day in period.days}
    return Figures(days, figures.refused(period))


def _count(days: list[date]) -> dict[date, Day]:
    since, until = _midnight(days[0]), _midnight(days[-1]) + timedelta(days=1)
    found = figures.count(Period(since, until))
    DayFigures.objects.bulk_create(
        [DayFigures(day=day, data=_pack(found[day])) for day in days if _is_over(day)],
        ignore_conflicts=True,
    )
    return {day: found[day] for day in days}


def _is_over(day: date) -> bool:
    """Whether nothing more can be said in a conversation that was started on this day."""
    last = _midnight(day) + timedelta(days=1, hours=settings.JWT_EXPIRE_HOURS + 1)
    return last < timezone.now()


def _merge(into: Day, day: Day) -> None:
    for name in ("started", "degraded", "safety", "blocks"):
        setattr(into, name, getattr(into, name) + getattr(day, name))
    for name in ("said", "hours", "outcomes", "failures", "first_token", "answer"):
        getattr(into, name).update(getattr(day, name))
    for name, model in day.models.items():
        total = into.models.setdefault(name, Model())
        total.answers += model.answers
        total.prompt_tokens += model.prompt_tokens
        total.completion_tokens += model.completion_tokens
        total.cost += model.cost


def _pack(day: Day) -> dict[str, Any]:
    models = {
        name: [one.answers, one.prompt_tokens, one.completion_tokens, str(one.cost)]
        for name, one in day.models.items()
    }
    plain = {name: getattr(day, name) for name in ("started", "degraded", "safety", "blocks")}
    counters = ("said", "hours", "outcomes", "failures", "first_token", "answer")
    return {**plain, **{name: dict(getattr(day, name)) for name in counters}, "models": models}


def _unpack(data: dict[str, Any]) -> Day:
    def numbers(name: str) -> Counter[int]:
        return Counter({int(key): number for key, number in data[name].items()})

    return Day(
        started=data["started"],
        degraded=data["degraded"],
        safety=data["safety"],
        blocks=data["blocks"],
        said=Counter(data["said"]),
        outcomes=Counter(data["outcomes"]),
        failures=Counter(data["failures"]),
        hours=numbers("hours"),
        first_token=numbers("first_token"),
        answer=numbers("answer"),
        models={
            name: Model(answers, read, written, Decimal(cost))
            for name, (answers, read, written, cost) in data["models"].items()
        },
    )


def _times(counts: Counter[int]) -> Times:
    return Times(_percentile(counts, 0.50), _percentile(counts, 0.95))


def _percentile(counts: Counter[int], share: float) -> int | None:
    """By the nearest rank."""
    total, seen = counts.total(), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * total:
            return value * 10
    return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())
