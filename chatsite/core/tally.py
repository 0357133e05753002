"""How many requests the limits refused, by day: a count in Redis, for the staff's figures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import date
from typing import Final

from django.core.cache import caches
from django.utils import timezone
from redis.exceptions import RedisError

_SECONDS: Final = 400 * 24 * 3600


def refused(group: str) -> None:
    """Count one refused request of today."""
    cache, key = caches["limits"], _key(group, timezone.now().date())
    cache.add(key, 0, timeout=_SECONDS)
    with contextlib.suppress(ValueError):  # Redis went between the two
        cache.incr(key)


def count(groups: Iterable[str], days: Iterable[date]) -> int | None:
    """How many of these groups were refused on these days (UTC); None while Redis is away."""
    keys = [_key(group, day) for day in days for group in groups]
    try:
        return int(sum(caches["limits"].get_many(keys).values()))
    except (RedisError, OSError):
        return None


def _key(group: str, day: date) -> str:
    return f"refused:{group}:{day:%Y%m%d}"
