"""How many sessions an address, or the /64 of an IPv6 address, may have open at once."""

from __future__ import annotations

import zlib
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from chatsite.core.errors import Problem
from sessions_app import selectors
from sessions_app.models import ChatSession

# So close to the limit, sessions of one network are opened one after the other. It is more than
# all web processes can be opening at once.
_CLOSE: Final = 100


class TooManySessions(Problem):
    """The caller's network has all the sessions that it may have."""

    code, status, title = "session_limit", 429, "Too many conversations are open from here"

    def __init__(self) -> None:
        super().__init__("End one, or try again later.", headers={"Retry-After": "600"})


def crowd(network: str) -> QuerySet[ChatSession]:
    """The sessions that the network has open."""
    return ChatSession.objects.filter(selectors.is_open(timezone.now()), network=network)


def most() -> int | None:
    """How many sessions a network may have open at once; None: any number."""
    return settings.SESSIONS_PER_ADDRESS or None if settings.RATE_LIMITING_ENABLED else None


def most_at_once() -> int | None:
    """How many it may have while others are being opened; SQLite has but one writer anyway."""
    limit = most()
    return limit - _CLOSE if limit and connection.vendor == "postgresql" else limit


def wait_for_others(network: str) -> None:
    """Hold the network, where that is needed, until this transaction ends."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)",
            [_CLOSE, zlib.crc32(network.encode()) - 2**31],
        )
