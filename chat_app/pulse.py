"""Signs of life that the replies workers leave in Redis for `/health`."""

from __future__ import annotations

import json
import time
import weakref
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio
from django.utils import timezone

WORKER_KEY = "chatsite:pulse:replies"
_PROVIDER = "chatsite:pulse:provider"
# A worker beats every two seconds or so; it is missed after this many.
_WORKER_SECONDS = 15
_PROVIDER_SECONDS = 24 * 3600
_SAME_SECONDS = 1.0
_said: weakref.WeakKeyDictionary[redis.asyncio.Redis, tuple[str, str, float]] = (
    weakref.WeakKeyDictionary()
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the workers said last. `provider` has `ok`, `at`, `model` and `error`, or is empty."""

    is_alive: bool = False
    provider: dict[str, Any] = field(default_factory=dict)

    @property
    def is_provider_well(self) -> bool:
        """Whether the provider's last answer was one; well until it was asked."""
        return bool(self.provider.get("ok", True))


async def read(client: redis.asyncio.Redis) -> Pulse:
    """What is known; raises RedisError."""
    worker, provider = await client.mget(WORKER_KEY, _PROVIDER)
    return Pulse(worker is not None, json.loads(provider) if provider else {})


async def beat(client: redis.asyncio.Redis) -> None:
    """Say that a replies worker is alive; raises RedisError."""
    await client.set(WORKER_KEY, "1", ex=_WORKER_SECONDS)


async def provider_said(client: redis.asyncio.Redis, *, model: str, error: str) -> None:
    """Say how the provider's last call ended (`error` empty: well); raises RedisError.

    The same again within a second is not said: it would be a round trip an answer.
    """
    now = time.monotonic()
    last_model, last_error, when = _said.get(client, ("", "", -_SAME_SECONDS))
    if (last_model, last_error) == (model, error) and now < when + _SAME_SECONDS:
        return
    _said[client] = (model, error, now)
    said = {"ok": not error, "at": timezone.now().isoformat(), "model": model, "error": error}
    await client.set(_PROVIDER, json.dumps(said), ex=_PROVIDER_SECONDS)
