"""How much waits for an answer, for how long, and who was lost: one query of a small index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Now

from chat_app.models import UNFINISHED, AnswerStatus, ChatMessage


@dataclass(frozen=True, slots=True)
class Backlog:
    """Answers that are not finished; `oldest` in seconds since its question."""

    waiting: int
    running: int
    abandoned: int
    oldest: float


def answers() -> Backlog:
    """What is unfinished now, by the database's clock."""
    running = Q(status=AnswerStatus.RUNNING)
    found = ChatMessage.objects.filter(status__in=[str(status) for status in UNFINISHED]).aggregate(
        all=Count("pk"),
        running=Count("pk", filter=running),
        abandoned=Count("pk", filter=running & Q(lease_until__lt=Now())),
        first=Min("timestamp"),
        now=Max(Now()),
    )
    return Backlog(
        waiting=found["all"] - found["running"],
        running=found["running"],
        abandoned=found["abandoned"],
        oldest=age(found["first"], found["now"]),
    )


def age(first: datetime | None, now: datetime | None) -> float:
    """Seconds between the two; 0 where there is nothing, or where it is yet to come."""
    return max(0.0, (now - first).total_seconds()) if first and now else 0.0
