"""Celery tasks of sessions."""

from celery import shared_task

from chatsite.core import queue
from sessions_app import code_mail, codes, services


@shared_task(name=queue.EXPIRE_SESSIONS)
def expire() -> None:
    """End the sessions whose time is over, and forget the codes."""
    services.expire_sessions()
    codes.forget()


@shared_task(name=queue.SEND_CODES)
def send_codes() -> None:
    """Send the one-time codes that visitors wait for."""
    code_mail.send_due()
