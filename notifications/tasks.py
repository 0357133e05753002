"""Celery tasks of deliveries, and the mirror's life in the worker that has them."""

from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready, worker_shutdown

from chatsite.core import live, queue
from notifications import configuration, mirror, pause

log = structlog.get_logger(__name__)


@shared_task(name=queue.DELIVER)
def deliver() -> None:
    """Something is owed, or beat asks: have this worker send what it can."""
    if running := mirror.current():
        running.wake()


@worker_ready.connect
def begin(**_: Any) -> None:
    """Start the mirror once the worker listens, where Discord is set up."""
    for fault in configuration.faults():
        log.error("discord is half configured; nothing is mirrored", fault=fault)
    if configuration.is_complete():
        pause.try_now()
        mirror.start().wake()


@worker_shutdown.connect
def end(**_: Any) -> None:
    """Finish or give back what is being sent."""
    if running := mirror.current():
        running.stop()
        live.flush()
