"""Limits: django-ratelimit behind one door, with our own 429 and a policy for outages."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
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
# Counts a request in windows that their first one begins, up to one that is full: each count, and
# the seconds left. What one limit refuses takes nothing from the next, which others may share.
_COUNT = """
local found = {}
for place, key in ipairs(KEYS) do
    local count = redis.call("INCR", key)
    if count == 1 then redis.call("EXPIRE", key, ARGV[2 * place - 1]) end
    found[place] = {count, redis.call("TTL", key)}
    if count > tonumber(ARGV[2 * place]) then break end
end
return found
"""
_clients: dict[tuple[int | str, ...], tuple[Any, Any]] = {}


class RateLimited(Problem):
    """Too many requests; `Retry-After` says when the next may come."""

    code, status, title = "rate_limited", 429, "Too many requests"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests of `key` in `group` as `rate` says."""

    group: str
    key: str
    rate: str

    @property
    def window(self) -> str:
        """The name of what is counted."""
        return f"{self.group}:{self.key}:{self.rate}"


Count = tuple[int, int]  # of a window that began with its first request, and the seconds left


class LimitsCache(RedisCache):
    """Django's Redis cache as django-ratelimit uses it; counts in this process without Redis.

    django-ratelimit's windows end at fixed times, and a burst across such an end passes twice.
    Those of `count` begin with their first request, and cost one round trip together.
    """

    _counted: int | None = None

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

    def count(self, limits: Sequence[Limit]) -> list[Count]:
        """Count a request in the window of each, up to one that is full; the counts."""
        return _ask(self._count, _count_all_here, limits)

    @contextmanager
    def counted(self, count: int) -> Iterator[None]:
        """Within it, this is what django-ratelimit counts."""
        self._counted = count
        try:
            yield
        finally:
            self._counted = None

    def add(self, key: str, value: Any, timeout: Any = None, version: Any = None) -> bool:
        """Set the key where it is not set."""
        if self._counted is not None:
            return self._counted == 1
        return bool(_ask(super().add, caches["local"].add, key, value, timeout, version))

    def incr(self, key: str, delta: int = 1, version: Any = None) -> int:
        """Add to the key; raises ValueError where it is not set."""
        if self._counted is not None:
            return self._counted
        return int(_ask(super().incr, caches["local"].incr, key, delta, version))

    def _count(self, limits: Sequence[Limit]) -> list[Count]:
        _, script = self._made()
        told = [(rates.seconds(one.rate), rates.most(one.rate)) for one in limits]
        found = script(
            keys=[self.make_and_validate_key(one.window) for one in limits],
            args=[*itertools.chain(*told)],
        )
        return [(count, left) for count, left in found]


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


def enforce(request: HttpRequest, *limits: Limit, strict: bool = False) -> None:
    """Count a request within each limit; the response tells what is left (`headers`).

    Raises RateLimited at the first that it is above; the next ones do not count it. While Redis is
    away the count is this process's own, or, with `strict`, Unavailable is raised: nothing is ever
    unlimited.
    """
    if not settings.RATE_LIMITING_ENABLED:
        return
    cache: Any = caches["limits"]
    found = cache.count(limits)
    if strict and time.monotonic() < _down_until:
        raise Unavailable("Requests cannot be counted right now.")
    for limit, counted in zip(limits, found, strict=False):  # those after a full one were not
        with cache.counted(counted[0]):
            usage = get_usage(
                request, limit.group, key=lambda *_: limit.key, rate=limit.rate, increment=True
            )
        told = _headers(limit, counted)
        if usage["should_limit"]:
            raise _refused(limit.group, {"Retry-After": str(max(1, counted[1])), **told})
        request.limits = [*getattr(request, "limits", ()), told]  # type: ignore[attr-defined]


def headers(request: HttpRequest) -> dict[str, str]:
    """What the limits that the request was counted by tell its caller; empty where none did."""
    found: list[dict[str, str]] = getattr(request, "limits", [])
    return {name: ", ".join(one[name] for one in found) for name in (found[0] if found else ())}


def _refused(group: str, headers: dict[str, str]) -> RateLimited:
    metrics.LIMITS_REFUSED.labels(group).inc()
    tally.refused(group)
    return RateLimited("Too many requests; wait as long as Retry-After says.", headers=headers)


def _headers(limit: Limit, counted: Count) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10."""
    count, left = counted
    most, seconds = rates.most(limit.rate), rates.seconds(limit.rate)
    return {
        "RateLimit": f'"{limit.group}";r={max(0, most - count)};t={max(1, left)}',
        "RateLimit-Policy": f'"{limit.group}";q={most};w={seconds}',
    }


def _count_all_here(limits: Sequence[Limit]) -> list[Count]:
    found: list[Count] = []
    for limit in limits:
        found.append(_count_here(limit.window, rates.seconds(limit.rate)))
        if found[-1][0] > rates.most(limit.rate):
            break
    return found


def _count_here(name: str, seconds: int) -> Count:
    here, now = caches["local"], time.time()
    ends: Any = here.get_or_set(f"{name}:ends", now + seconds, seconds)
    here.add(name, 0, seconds)
    try:
        return here.incr(name), max(1, round(ends - now))
    except ValueError:  # it ended between the two
        return 1, seconds
