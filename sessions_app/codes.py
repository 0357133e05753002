"""One-time codes that prove an e-mail address: asked for here, made and sent by a worker."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from chatsite.core import live, queue
from chatsite.core.errors import InvalidInput
from sessions_app import identity
from sessions_app.models import EmailCode

# Of a million codes; with five codes in a quarter of an hour, one guess in forty thousand is right.
MOST_ATTEMPTS: Final = 5
_KEPT: Final = timedelta(hours=1)


class WrongCode(InvalidInput):
    """The code is not the one that was sent, or it is used up, too old, or there is none."""

    def __init__(self) -> None:
        detail = "This code is not right, or too old."
        super().__init__(errors=[{"field": "code", "code": "invalid", "detail": detail}])


@transaction.atomic
def request(*, email: str) -> None:
    """Have a code sent to the address; an earlier one is void. The same for every address.

    Raises ValueError where it is no e-mail address. The code is made by whoever sends it: neither
    the broker nor this process ever has it.
    """
    normalised, now = identity.normalise_email(email), timezone.now()
    email_hash = identity.email_hash(normalised)
    _good(email_hash, now).update(expires_at=now, email="")
    EmailCode.objects.create(
        email_hash=email_hash,
        email=normalised,
        expires_at=now + timedelta(minutes=settings.EMAIL_CODE_MINUTES),
    )
    live.ring(queue.SEND_CODES)


def try_out(*, email: str, code: str) -> EmailCode:
    """The code of the address that this is, one attempt the fewer; raises WrongCode.

    Not inside a transaction that may be rolled back: the attempt would not be counted.
    """
    email_hash, now = identity.email_hash(identity.normalise_email(email)), timezone.now()
    good = _good(email_hash, now)
    # Counted before it is looked at: no more than so many are compared, however many at once.
    counted = good.filter(attempts__lt=MOST_ATTEMPTS).update(attempts=F("attempts") + 1)
    found = good.order_by("-pk").first() or EmailCode(pk=0)
    given = identity.code_hash(found.pk, code)
    if not (hmac.compare_digest(given, found.code_hash) and counted):
        raise WrongCode
    return found


def use(found: EmailCode) -> None:
    """Use the code up; raises WrongCode where somebody else just did."""
    now = timezone.now()
    if not _good(found.email_hash, now).filter(pk=found.pk).update(used_at=now):
        raise WrongCode


def forget() -> None:
    """Delete the codes whose time is long over."""
    EmailCode.objects.filter(expires_at__lt=timezone.now() - _KEPT).delete()


def _good(email_hash: str, now: datetime) -> QuerySet[EmailCode]:
    return EmailCode.objects.filter(email_hash=email_hash, used_at=None, expires_at__gt=now)
