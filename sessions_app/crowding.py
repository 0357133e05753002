"""How many sessions an address, or the /64 of an IPv6 address, may have open at once."""

from __future__ import annotations

import zlib
from typing import Final

from django.conf import settings
from django.db import connection
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


def refuse(*, network: str) -> None:
    """Raise TooManySessions at SESSIONS_PER_ADDRESS; in the transaction that opens one more."""
    most = settings.SESSIONS_PER_ADDRESS if settings.RATE_LIMITING_ENABLED else 0
    if not most:
        return
    found = _open(network, most)
    if found > most - _CLOSE and connection.vendor == "postgresql":
        _wait_for_others(network)
        found = _open(network, most)
    if found >= most:
        raise TooManySessions


def _open(network: str, most: int) -> int:
    found = ChatSession.objects.filter(selectors.is_open(timezone.now()), network=network)
    return found[:most].count()


def _wait_for_others(network: str) -> None:
    """Hold the network until this transaction ends; SQLite has but one writer anyway."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)",
            [_CLOSE, zlib.crc32(network.encode()) - 2**31],
        )
