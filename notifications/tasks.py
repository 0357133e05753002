"""Celery tasks of deliveries. Sending to Discord is not built yet: what is owed is kept."""

import structlog
from celery import shared_task

from chatsite.core import queue
from notifications.models import Delivery, DeliveryStatus

log = structlog.get_logger(__name__)


@shared_task(name=queue.DELIVER)
def deliver() -> None:
    """Say how much is owed."""
    if owed := Delivery.objects.filter(status=DeliveryStatus.DUE).count():
        log.info("deliveries are owed", count=owed)
