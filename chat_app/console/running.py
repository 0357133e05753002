"""The counts of days that go on, where much is said in them: made by beat, kept in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.cache import caches
from django.utils import timezone
from redis.exceptions import RedisError

from chat_app.console import days, figures
from chat_app.console.figures import Day

# So many messages are counted while a page waits; more is beat's work, every minute.
FEW: Final = 2_000
_SECONDS: Final = 150


def refresh() -> bool:
    """Count the days that go on, unless pages may as well do it themselves."""
    going_on = _going_on()
    if not figures.is_more(days.span(going_on), than=FEW):
        return False
    found = figures.count(days.span(going_on))
    now = timezone.now()
    told = {_key(day): (now, days.pack(found[day])) for day in going_on}
    caches["limits"].set_many(told, timeout=_SECONDS)
    return True


def find(wanted: Sequence[date]) -> tuple[dict[date, Day], datetime | None]:
    """Those of these days that beat has counted in the last minutes, and when it did."""
    try:
        told: dict[str, Any] = caches["limits"].get_many([_key(day) for day in wanted])
    except (RedisError, OSError):
        return {}, None
    found = {day: days.unpack(told[_key(day)][1]) for day in wanted if _key(day) in told}
    return found, min((when for when, _ in told.values()), default=None)


def _going_on() -> list[date]:
    day, found = timezone.now().date(), []
    while not days.is_over(day):
        found.append(day)
        day -= timedelta(days=1)
    return found


def _key(day: date) -> str:
    return f"figures:{day:%Y%m%d}"
