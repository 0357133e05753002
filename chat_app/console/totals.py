"""A period's figures: the sum of its days, kept ones and those that go on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from chat_app.console import days, figures, running
from chat_app.console.figures import Day, Model, Period


@dataclass(frozen=True, slots=True)
class Times:
    """The median and the 95th percentile in milliseconds, to 10 ms; None of nothing."""

    p50: int | None = None
    p95: int | None = None


@dataclass(slots=True)
class Figures:
    """All of a period, and each of its days that are counted."""

    days: dict[date, Day]
    refused: int | None = 0
    pending: list[date] = field(default_factory=list)
    as_of: datetime | None = None
    sum: Day = field(default_factory=Day)

    def __post_init__(self) -> None:
        for day in self.days.values():
            _merge(self.sum, day)

    def day(self, day: date) -> Day:
        """The counts of the day, none where it is yet to be counted."""
        return self.days.get(day) or Day()

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
        return self._by_weekday("hours")

    @property
    def said_hours(self) -> dict[tuple[int, int], int]:
        """Messages by weekday and hour."""
        return self._by_weekday("said_hours")

    def _by_weekday(self, name: str) -> dict[tuple[int, int], int]:
        found: Counter[tuple[int, int]] = Counter()
        for day, one in self.days.items():
            for hour, number in getattr(one, name).items():
                found[day.weekday(), hour] += number
        return found


def of(period: Period) -> Figures:
    """The figures of the period; days that are yet to be counted are in `pending`, not in `days`.

    The page counts itself only where little was said; the rest it takes from what beat counted.
    """
    found = days.kept(period)
    past = [day for day in period.days if day not in found and days.is_over(day)]
    fresh, as_of = running.find([day for day in period.days if not days.is_over(day)])
    found |= fresh
    few = [day for day in period.days if day not in found]
    if not _are_few(past):
        few = [day for day in few if day not in past]
    if few:
        counted = figures.count(days.span(few))
        found |= {day: counted[day] for day in few}
    known = {day: found[day] for day in period.days if day in found}
    pending = [day for day in past if day not in known]
    return Figures(known, figures.refused(period), pending=pending, as_of=as_of)


def _are_few(past: list[date]) -> bool:
    return bool(past) and not figures.is_more(days.span(past), than=running.FEW)


def _merge(into: Day, day: Day) -> None:
    for name in days.PLAIN:
        setattr(into, name, getattr(into, name) + getattr(day, name))
    for name in days.COUNTERS:
        getattr(into, name).update(getattr(day, name))
    for name, model in day.models.items():
        total = into.models.setdefault(name, Model())
        total.answers += model.answers
        total.prompt_tokens += model.prompt_tokens
        total.completion_tokens += model.completion_tokens
        total.cost += model.cost


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
