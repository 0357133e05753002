"""One bot leads: a lease in Redis. What a second one did would take effect once all the same."""

from __future__ import annotations

import asyncio
import secrets

import structlog
from redis.exceptions import RedisError

from chatsite.core import live
from notifications.pulse import LEADER

log = structlog.get_logger(__name__)

_LEASE_MS = 15_000
_BEAT = 4.0

_RENEW = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0
"""
_RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


class Lease:
    """This process's claim to lead."""

    def __init__(self) -> None:
        self._client = live.async_client()
        self._token = secrets.token_hex(16)

    async def acquire(self) -> None:
        """Wait until this process leads."""
        waited = False
        while True:
            try:
                if await self._is_taken():
                    return
            except (RedisError, OSError) as error:
                log.warning("no leader is known", error=type(error).__name__)
            if not waited:
                log.info("another bot leads; this one waits")
            waited = True
            await asyncio.sleep(_BEAT)

    async def hold(self) -> None:
        """Keep the lease; returns when another process has it.

        While Redis is away the leader goes on: nobody else can be told to lead.
        """
        while True:
            await asyncio.sleep(_BEAT)
            try:
                if not (await self._is_renewed() or await self._is_taken()):
                    return
            except (RedisError, OSError) as error:
                log.warning("lease was not renewed", error=type(error).__name__)

    async def _is_renewed(self) -> bool:
        return bool(await self._client.eval(_RENEW, 1, LEADER, self._token, str(_LEASE_MS)))

    async def _is_taken(self) -> bool:
        """Whether the place was free, as it also is where Redis has lost its memory."""
        return bool(await self._client.set(LEADER, self._token, nx=True, px=_LEASE_MS))

    async def release(self) -> None:
        """Let the next one lead at once."""
        try:
            await self._client.eval(_RELEASE, 1, LEADER, self._token)
        except (RedisError, OSError):
            log.info("lease runs out by itself")
        await self._client.aclose()
