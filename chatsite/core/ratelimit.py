"""Limits: django-ratelimit behind one door, with our own 429 and a policy for outages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.http import HttpRequest
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

from chatsite.core import metrics, rates, tally
from chatsite.core.errors import Problem, Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Seconds for which a store that failed is not asked again: each question may cost a time-out.
_PAUSE = 2.0
_down_until = 0.0
# Counts a request in the window that its first one begins; the count, and the seconds left.
_COUNT = """
local count = redis.call("INCR", KEYS[1])
if count == 1 then redis.call("EXPIRE", KEYS[1], ARGV[1]) end
return {count, redis.call("TTL", KEYS[1])}
"""
_clients: dict[tuple[int | str, ...], tuple[Any, Any]] = {}


class RateLimited(Problem):
    """Too many requests; `Retry-After` says when the next may come."""

    code, status, title = "rate_limited", 429, "Too many requests"


@dataclass(slots=True)
class Window:
    """A count that begins with its first request and ends `seconds` after it."""

    name: str
    seconds: int
    count: int = 0
    left: int = 0


class LimitsCache(RedisCache):
    """Django's Redis cache as django-ratelimit uses it; counts in this process without Redis.

    django-ratelimit's windows end at fixed times, and a burst across such an end passes twice.
    Those of `counting` begin with their first request, and cost one round trip.
    """

    _window: Window | None = None

    @property
    def client(self) -> Any:
        """One a process; Django makes one a request under ASGI, each with a connection."""
        return self._made()[0]

    def _made(self) -> tuple[Any, Any]:
        """The client, and the script that counts."""
        key: tuple[int | str, ...] = (os.getpid(), *self._servers)  # type: ignore[attr-defined]
        if key not in _clients:
            made = self._cache.get_client(None, write=True)
            _clients.setdefault(key, (made, made.register_script(_COUNT)))
        return _clients[key]

    @contextmanager
    def counting(self, name: str, *, seconds: int) -> Iterator[Window]:
        """Within it, what django-ratelimit counts is counted in the window of this name."""
        self._window = Window(name, seconds)
        try:
            yield self._window
        finally:
            self._window = None

    def add(self, key: str, value: Any, timeout: Any = None, version: Any = None) -> bool:
        """Set the key where it is not set."""
        if window := self._window:
            found = _ask(self._count, _count_here, window.name, window.seconds)
            window.count, window.left = found
            return window.count == 1
        return bool(_ask(super().add, caches["local"].add, key, value, timeout, version))

    def incr(self, key: str, delta: int = 1, version: Any = None) -> int:
        """Add to the key; raises ValueError where it is not set."""
        if window := self._window:
            return window.count
        return int(_ask(super().incr, caches["local"].incr, key, delta, version))

    def _count(self, name: str, seconds: int) -> tuple[int, int]:
        _, script = self._made()
        count, left = script(keys=[self.make_and_validate_key(name)], args=[seconds])
        return count, left


@contextmanager
def pipeline() -> Iterator[Any]:
    """Commands for the limits' Redis in one round trip; raises RedisError, at once while away."""
    global _down_until
    if time.monotonic() < _down_until:
        raise RedisError("away")
    cache: Any = caches["limits"]
    try:
        with cache.client.pipeline(transaction=False) as commands:
            yield commands
    except (RedisError, OSError):
        _down_until = time.monotonic() + _PAUSE
        raise


def _ask(there: Callable[..., T], here: Callable[..., T], *args: Any) -> T:
    """What Redis says, or this process while Redis is away."""
    global _down_until
    if time.monotonic() >= _down_until:
        try:
            return there(*args)
        except (RedisError, OSError) as error:
            _down_until = time.monotonic() + _PAUSE
            log.warning("limits are counted locally", error=type(error).__name__)
    return here(*args)


def enforce(request: HttpRequest, *, group: str, key: str, rate: str, strict: bool = False) -> None:
    """Count one request of `key` in `group`; the response tells what is left (`headers`).

    Raises RateLimited above `rate`. While Redis is away the count is this process's own, or, with
    `strict`, Unavailable is raised: nothing is ever unlimited.
    """
    if not settings.RATE_LIMITING_ENABLED:
        return
    cache: Any = caches["limits"]
    with cache.counting(f"{group}:{key}:{rate}", seconds=rates.seconds(rate)) as window:
        usage = get_usage(request, group=group, key=lambda *_: key, rate=rate, increment=True)
    if strict and time.monotonic() < _down_until:
        raise Unavailable("Requests cannot be counted right now.")
    told = _headers(group, usage["limit"], window)
    if usage["should_limit"]:
        metrics.LIMITS_REFUSED.labels(group).inc()
        tally.refused(group)
        raise RateLimited(
            "Too many requests; wait as long as Retry-After says.",
            headers={"Retry-After": str(max(1, window.left)), **told},
        )
    request.limits = [*getattr(request, "limits", ()), told]  # type: ignore[attr-defined]


def headers(request: HttpRequest) -> dict[str, str]:
    """What the limits that the request was counted by tell its caller; empty where none did."""
    found: list[dict[str, str]] = getattr(request, "limits", [])
    return {name: ", ".join(one[name] for one in found) for name in (found[0] if found else ())}


def _headers(group: str, limit: int, window: Window) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10."""
    left = max(0, limit - window.count)
    return {
        "RateLimit": f'"{group}";r={left};t={max(1, window.left)}',
        "RateLimit-Policy": f'"{group}";q={limit};w={window.seconds}',
    }


def _count_here(name: str, seconds: int) -> tuple[int, int]:
    here, now = caches["local"], time.time()
    ends: Any = here.get_or_set(f"{name}:ends", now + seconds, seconds)
    here.add(name, 0, seconds)
    try:
        return here.incr(name), max(1, round(ends - now))
    except ValueError:  # it ended between the two
        return 1, seconds
