"""Numbers that are given once: after a restore those between then and now are left out."""

from __future__ import annotations

from typing import Final

from django.db import connection
from django.db.models import F

from sessions_app.models import ChatSession, SessionEvent

# More than a session, and more than all of them, may tell between two backups.
_OF_A_SESSION: Final = 1_000
_OF_ALL: Final = 10_000_000


def leave_out() -> None:
    """Go on far behind the last number of every session, and behind the last event's.

    Readers resume by the former, and Discord knows a post again by the latter.
    """
    ChatSession.objects.update(last_seq=F("last_seq") + _OF_A_SESSION)
    table = SessionEvent._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            given = "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s"
            cursor.execute(given, [_OF_ALL, table])
        else:
            given = (
                "SELECT setval(name, nextval(name) + %s) FROM pg_get_serial_sequence(%s, 'id') name"
            )
            cursor.execute(given, [_OF_ALL, table])
