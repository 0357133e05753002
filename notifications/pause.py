"""Whether the mirror is held up: refused by Discord, half configured, or told to be slow."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from notifications.models import MirrorState

log = structlog.get_logger(__name__)

# A refused token or permission is tried again this often: Discord bans addresses that send 10,000
# refused requests in ten minutes, and nobody should have to restart a worker after a repair.
RETRY_SECONDS = 60


def pause(*, seconds: float, reason: str) -> bool:
    """Send nothing for so long; True where this is the first word of it, which is said once."""
    until = timezone.now() + timedelta(seconds=seconds)
    state, _ = MirrorState.objects.get_or_create(pk=MirrorState.THE_ONE)
    is_news = state.reason != reason[:200]
    changes = {"since": timezone.now(), "reason": reason[:200]} if is_news else {}
    _one().update(paused_until=until, **changes)
    if is_news:
        log.error("discord mirror is paused", reason=reason, retried_after_seconds=int(seconds))
    return is_news


def resume() -> bool:
    """Something was sent: the mirror runs; True where it did not."""
    changed = _one().exclude(reason="").update(paused_until=None, since=None, reason="")
    if changed:
        log.warning("discord mirror runs again")
    return bool(changed)


def try_now() -> None:
    """Do not wait out a pause: a process begins, perhaps with a new token."""
    _one().update(paused_until=None)


def look() -> tuple[str, bool]:
    """Why the mirror is held up, empty where it is not, and whether nothing is to be sent now."""
    state = _one().first()
    until = state.paused_until if state else None
    return (state.reason if state else ""), until is not None and until > timezone.now()


def current() -> tuple[str, datetime | None]:
    """Why the mirror is held up, and since when; empty where it is not."""
    state = _one().first()
    return (state.reason, state.since) if state else ("", None)


def _one() -> QuerySet[MirrorState]:
    return MirrorState.objects.filter(pk=MirrorState.THE_ONE)
