"""How Discord is, for `/health`: set up, mirrored, listened to."""

from __future__ import annotations

from typing import Any, Final

import redis.asyncio
from django.conf import settings

from notifications import configuration, pause

# Holds the leading bot's token, and runs out with it.
LEADER: Final = "chatsite:discord:leader"


def mirror() -> dict[str, Any]:
    """`{status, detail?, since?}`; asks the database once where Discord is on."""
    if not settings.DISCORD_ENABLED:
        return {"status": "off"}
    if faults := configuration.faults():
        return {"status": "misconfigured", "detail": " ".join(faults)}
    reason, since = pause.current()
    if reason:
        return {"status": "paused", "detail": reason, "since": since and since.isoformat()}
    return {"status": "running"}


async def bot(client: redis.asyncio.Redis) -> str:
    """Whether a bot leads; raises RedisError."""
    return "alive" if await client.exists(LEADER) else "missing"
