"""Celery tasks of sessions."""

from celery import shared_task

from chatsite.core import queue
from sessions_app import services


@shared_task(name=queue.EXPIRE_SESSIONS)
def expire() -> None:
    """End the sessions whose time is over."""
    services.expire_sessions()
