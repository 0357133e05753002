"""Limits: django-ratelimit behind one door, with our own 429 and a policy for outages."""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.http import HttpRequest
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

from chatsite.core import metrics, tally
from chatsite.core.errors import Problem, Unavailable

log = structlog.get_logger(__name__)

# Seconds for which a store that failed is not asked again: each question may cost a time-out.
_PAUSE = 2.0
_LOCAL_SECONDS = 60
_down_until = 0.0


class RateLimited(Problem):
    """Too many requests; `Retry-After` says when the next may come."""

    code, status, title = "rate_limited", 429, "Too many requests"


class LimitsCache(RedisCache):
    """Django's Redis cache, which counts in this process while Redis is away."""

    def add(self, *args: Any, **options: Any) -> bool:
        """Set the key where it is not set."""
        return bool(self._ask("add", *args, **options))

    def incr(self, key: str, *args: Any, **options: Any) -> int:
        """Add one; a key that Redis has and this process has not begins here."""
        try:
            return int(self._ask("incr", key, *args, **options))
        except ValueError:
            caches["local"].add(key, 1, timeout=_LOCAL_SECONDS)
            return 1

    def _ask(self, act: str, *args: Any, **options: Any) -> Any:
        global _down_until
        if time.monotonic() >= _down_until:
            try:
                return getattr(super(), act)(*args, **options)
            except (RedisError, OSError) as error:
                _down_until = time.monotonic() + _PAUSE
                log.warning("limits are counted locally", error=type(error).__name__)
        return getattr(caches["local"], act)(*args, **options)


def enforce(request: HttpRequest, *, group: str, key: str, rate: str, strict: bool = False) -> None:
    """Count one request of `key` in `group`.

    Raises RateLimited above `rate`. While Redis is away the count is this process's own, or, with
    `strict`, Unavailable is raised: nothing is ever unlimited.
    """
    if not settings.RATE_LIMITING_ENABLED:
        return
    usage = get_usage(request, group=group, key=lambda *_: key, rate=rate, increment=True)
    if strict and time.monotonic() < _down_until:
        raise Unavailable("Requests cannot be counted right now.")
    if usage is not None and usage["should_limit"]:
        metrics.LIMITS_REFUSED.labels(group).inc()
        tally.refused(group)
        raise RateLimited(
            "Too many requests; wait as long as Retry-After says.",
            headers=_headers(group, usage["limit"], rate, max(1, usage["time_left"])),
        )


def _headers(group: str, limit: int, rate: str, wait: int) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10."""
    window = {"s": 1, "m": 60, "h": 3600, "d": 86400}[rate.split("/")[1][0]]
    return {
        "Retry-After": str(wait),
        "RateLimit": f'"{group}";r=0;t={wait}',
        "RateLimit-Policy": f'"{group}";q={limit};w={window}',
    }
