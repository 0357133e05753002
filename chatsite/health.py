"""`/health`: what was measured, not what is configured."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis.exceptions import RedisError

from chat_app import budgets, presenters, pulse
from chatsite import __version__
from chatsite.core import hub, surroundings
from notifications import pulse as discord
from sessions_app.selectors import poll

_SECONDS = 2.0


async def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; for an orchestrator that restarts it."""
    return JsonResponse({"status": "alive"})


async def health(request: HttpRequest) -> JsonResponse:
    """For people and balancers: 503 only where nothing could be answered or stored."""
    found = await _measure()
    body = {
        "status": _summary(found),
        "timestamp": presenters.moment(timezone.now()),
        "database": "connected" if found["database"] else "unavailable",
        "ai_service": "available" if _can_answer(found) else "unavailable",
        "broker": "connected" if found["broker"] else "unavailable",
        "workers": {"replies": "alive" if found["pulse"].is_alive else "missing"},
        "provider": found["pulse"].provider,
        "budget": found["budget"],
        "discord": found["discord"],
        "version": __version__,
    }
    return JsonResponse(body, status=200 if found["database"] else 503)


async def ready(request: HttpRequest) -> JsonResponse:
    """For an orchestrator that routes: 503 while a part that answers need is missing."""
    found, around = await asyncio.gather(_measure(), _around())
    parts = {
        "database": found["database"],
        "schema": found["database"] and not surroundings.has(around, "chatsite.W033"),
        "broker": found["broker"] and not surroundings.has(around, "chatsite.E030"),
        "replies": found["pulse"].is_alive,
    }
    is_ready = all(parts.values())
    body = {"status": "ready" if is_ready else "not ready", **parts}
    return JsonResponse(body, status=200 if is_ready else 503)


async def _around() -> tuple[surroundings.Finding, ...]:
    """What is wrong around this process; asked on a thread, and a connection, of its own."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await sync_to_async(surroundings.look, thread_sensitive=False)()
    except TimeoutError:
        return ()  # what does not answer is measured beside this


async def _measure() -> dict[str, Any]:
    (database, budget), (broker, beat), mirror = await asyncio.gather(
        _database(), _broker(), _discord()
    )
    return {
        "database": database,
        "budget": budget,
        "broker": broker,
        "pulse": beat,
        "discord": mirror,
    }


def _summary(found: dict[str, Any]) -> str:
    if not found["database"]:
        return "unhealthy"
    return "healthy" if _can_answer(found) else "degraded"


def _can_answer(found: dict[str, Any]) -> bool:
    has_model = found["pulse"].is_alive and found["pulse"].is_provider_well
    return bool(found["broker"] and has_model and found["budget"] != "spent")


async def _database() -> tuple[bool, str]:
    """Whether the database answers, and what it says of the day's budget."""
    try:
        async with asyncio.timeout(_SECONDS):
            return True, (await sync_to_async(budgets.state)()).status
    except (DatabaseError, TimeoutError):
        return False, "unknown"


async def _discord() -> dict[str, Any]:
    """How the mirror is and whether a bot listens; chat does without both."""
    try:
        async with asyncio.timeout(_SECONDS):
            found = await sync_to_async(discord.mirror)()
            if found["status"] != "off":
                found["bot"] = await discord.bot(hub.current(poll).redis)
            return found
    except (DatabaseError, RedisError, OSError, TimeoutError):
        return {"status": "unknown"}


async def _broker() -> tuple[bool, pulse.Pulse]:
    """Whether Redis takes what is written to it, and what the workers left there."""
    try:
        async with asyncio.timeout(_SECONDS):
            client = hub.current(poll).redis
            await client.set("chatsite:health", "1", ex=60)
            return True, await pulse.read(client)
    except (RedisError, OSError, TimeoutError):
        return False, pulse.Pulse()
