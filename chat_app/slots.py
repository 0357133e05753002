"""How many event streams a session holds open, over all web processes."""

from __future__ import annotations

import secrets
import time

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from chatsite.core.errors import Problem

# A stream that is not renewed for so long is gone, with its process if need be.
_SECONDS = 45


class TooManyStreams(Problem):
    code, status, title = "too_many_streams", 429, "This session has enough streams open"


class Slot:
    """One open stream's place among those of its session."""

    def __init__(self, client: redis.asyncio.Redis, session: str) -> None:
        self._client, self._key = client, f"chatsite:streams:{session}"
        self._name = secrets.token_hex(8)

    async def take(self) -> None:
        """Take the place; raises TooManyStreams. Without Redis the place is given unasked."""
        try:
            now = time.time()
            async with self._client.pipeline() as pipeline:
                pipeline.zremrangebyscore(self._key, 0, now - _SECONDS)
                pipeline.zadd(self._key, {self._name: now})
                pipeline.expire(self._key, _SECONDS)
                pipeline.zcard(self._key)
                *_, taken = await pipeline.execute()
        except (RedisError, OSError):
            return
        if taken > settings.STREAMS_PER_SESSION:
            await self.leave()
            raise TooManyStreams(headers={"Retry-After": "5"})

    async def renew(self) -> None:
        """Say that the stream is still there."""
        try:
            await self._client.zadd(self._key, {self._name: time.time()})
            await self._client.expire(self._key, _SECONDS)
        except (RedisError, OSError):
            return

    async def leave(self) -> None:
        """Give the place up."""
        try:
            await self._client.zrem(self._key, self._name)
        except (RedisError, OSError):
            return
