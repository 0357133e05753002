"""What visitors did lately, kept in Redis while it is judged, and what is done about it."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from typing import Any, Final

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from chatsite.core import client, ratelimit, rates
from chatsite.core.errors import Problem
from sessions_app import bots
from sessions_app.bots import Neighbours, Post, Reason
from sessions_app.models import ChatSession

log = structlog.get_logger(__name__)

_SECONDS: Final = 3600
_KEY: Final = "chatsite:bots"


class SlowDown(Problem):
    """The visitor behaves like a program, and is asked to wait."""

    code, status, title = "slow_down", 429, "These messages come as a program sends them"

    def __init__(self, seconds: int) -> None:
        detail = "Please wait a little before the next message."
        super().__init__(detail, headers={"Retry-After": str(seconds)})


def notice(*, session: ChatSession, address: str, text: str) -> bool:
    """Look at one more message; says whether its session is to be slow. One round trip.

    Raises SlowDown where it has to wait. Without Redis nobody is judged.
    """
    if not _is_on():
        return False
    try:
        wait, reasons = _look(session.id, _network(address), text)
    except (RedisError, OSError):
        return False
    score = bots.points(reasons)
    if score > session.bot_points and score >= settings.BOT_SLOW_POINTS:
        _keep(session, score, reasons)
    if wait > 0:
        raise SlowDown(wait)
    if score >= settings.BOT_WAIT_POINTS:
        _make_wait(session.id)
        raise SlowDown(settings.BOT_WAIT_SECONDS)
    return score >= settings.BOT_SLOW_POINTS


def _is_on() -> bool:
    """Whoever allows more than a message a second expects programs."""
    times, _, _ = settings.CHAT_RATE_LIMIT.partition("/")
    is_for_people = int(times) <= rates.seconds(settings.CHAT_RATE_LIMIT)
    return settings.BOT_DETECTION_ENABLED and settings.RATE_LIMITING_ENABLED and is_for_people


def _network(address: str) -> str:
    """What neighbours share; a caller on this machine is a proxy that nobody told us of."""
    is_known = address != client.UNKNOWN_ADDRESS and not ipaddress.ip_address(address).is_loopback
    return client.network(address) if is_known else ""


def _look(session_id: str, network: str, text: str) -> tuple[int, list[Reason]]:
    """Seconds that are left of a wait, and what is to be said against the session."""
    now, said = time.time(), hashlib.sha256(text.strip().casefold().encode()).hexdigest()[:16]
    own = f"{_KEY}:session:{session_id}"
    with ratelimit.pipeline() as pipeline:
        pipeline.ttl(f"{own}:wait")
        pipeline.rpush(own, f"{now:.3f} {said} {len(text)}")
        pipeline.ltrim(own, -bots.MOST_POSTS, -1)
        pipeline.expire(own, _SECONDS)
        pipeline.lrange(own, 0, -1)
        if network:
            for key in (f"{_KEY}:network:{network}", f"{_KEY}:text:{network}:{said}"):
                pipeline.zadd(key, {session_id: now})
                pipeline.zremrangebyscore(key, 0, now - bots.NETWORK_SECONDS)
                pipeline.expire(key, bots.NETWORK_SECONDS)
                pipeline.zcard(key)
        found = pipeline.execute()
    posts = [_post(entry) for entry in found[4]]
    around = Neighbours(found[8], found[12]) if network else Neighbours()
    return found[0], bots.judge(posts, around, many=settings.BOT_SESSIONS_PER_ADDRESS)


def _post(entry: bytes) -> Post:
    at, said, length = entry.decode().split()
    return Post(float(at), said, int(length))


def _make_wait(session_id: str) -> None:
    """Begin the wait; after it the session is judged by what it does then."""
    own = f"{_KEY}:session:{session_id}"
    try:
        with ratelimit.pipeline() as pipeline:
            pipeline.set(f"{own}:wait", 1, ex=settings.BOT_WAIT_SECONDS)
            pipeline.delete(own)
            pipeline.execute()
    except (RedisError, OSError):
        return


def _keep(session: ChatSession, score: int, reasons: list[Reason]) -> None:
    """Store the highest score and its reasons, for staff."""
    kept: list[dict[str, Any]] = [
        {"reason": one.name, "points": one.points, "detail": one.detail} for one in reasons
    ]
    stored = ChatSession.objects.filter(pk=session.pk, bot_points__lt=score)
    stored.update(bot_points=score, bot_reasons=kept)
    log.info("a program is suspected", points=score, reasons=[one.name for one in reasons])
