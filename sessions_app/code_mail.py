"""Making one-time codes and sending them by mail, in the notifications worker."""

from __future__ import annotations

import secrets
from datetime import timedelta
from smtplib import SMTPException
from typing import Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from sessions_app import identity
from sessions_app.models import EmailCode

log = structlog.get_logger(__name__)

_BATCH: Final = 50
# A sending that was not seen to succeed is tried again with a new code, so often and so far apart.
_MOST_SENDINGS: Final = 4
_AGAIN: Final = timedelta(seconds=20)


def send_due() -> int:
    """Send what is due, a batch at most; how many were sent."""
    return sum(_send(code_id) for code_id in list(_due().values_list("pk", flat=True)[:_BATCH]))


def _send(code_id: int) -> bool:
    code = f"{secrets.randbelow(10**6):06d}"
    # Claimed: another worker finds it due no more.
    claimed = (
        _due()
        .filter(pk=code_id)
        .update(
            code_hash=identity.code_hash(code_id, code),
            due_at=timezone.now() + _AGAIN,
            sendings=F("sendings") + 1,
        )
    )
    row = EmailCode.objects.filter(pk=code_id).first()
    if not (claimed and row):
        return False
    try:
        _message(row.email, code).send()
    except (SMTPException, OSError) as error:
        log.warning("a code was not sent", error=type(error).__name__)
        return False
    EmailCode.objects.filter(pk=code_id).update(sent_at=timezone.now(), email="")
    return True


def _due() -> QuerySet[EmailCode]:
    now = timezone.now()
    waiting = Q(sent_at=None, used_at=None, due_at__lte=now, sendings__lt=_MOST_SENDINGS)
    return EmailCode.objects.filter(waiting, expires_at__gt=now).order_by("due_at")


def _message(email: str, code: str) -> EmailMessage:
    context = {"code": code, "minutes": settings.EMAIL_CODE_MINUTES, "site": settings.SITE_URL}
    return EmailMessage(
        subject="Your code for the chat",
        body=render_to_string("mail/code.txt", context),
        to=[email],
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no out-of-office answers
    )
