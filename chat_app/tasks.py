"""Celery tasks of answers, and the engine's life in the worker that has the queue `replies`."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown
from django.conf import settings

from chat_app import answers, engine
from chat_app.console import days, running
from chatsite.core import live, queue


@shared_task(name=queue.ANSWER)
def answer() -> None:
    """Answers wait: have this worker take what it can."""
    if running := engine.current():
        running.wake()


@shared_task(name=queue.SWEEP_ANSWERS)
def sweep() -> None:
    """End what is tried no more, and ring for what waits."""
    answers.sweep()
    if running := engine.current():
        running.wake()


@shared_task(name=queue.COUNT_DAYS)
def count_days() -> None:
    """Count what pages of the dashboard would have to: days that are over, and busy ones."""
    running.refresh()
    days.keep_due()


@worker_ready.connect
def begin(**_: Any) -> None:
    """Start the engine once the worker listens."""
    engine.start().wake()


@worker_shutdown.connect
def end(**_: Any) -> None:
    """Finish or give back what is running."""
    if running := engine.current():
        running.stop(seconds=settings.REPLIES_DRAIN_SECONDS)
        live.flush()
