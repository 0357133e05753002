"""How much is owed to Discord, and for how long: one query of a small index."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, Min
from django.db.models.functions import Now

from chat_app.backlog import age
from notifications.models import Delivery, DeliveryStatus


@dataclass(frozen=True, slots=True)
class Owed:
    """Deliveries that are due; `oldest` in seconds since its event."""

    waiting: int
    oldest: float


def deliveries() -> Owed:
    """What is owed now, by the database's clock."""
    found = Delivery.objects.filter(status=DeliveryStatus.DUE).aggregate(
        all=Count("pk"), first=Min("event__created_at"), now=Max(Now())
    )
    return Owed(waiting=found["all"], oldest=age(found["first"], found["now"]))
