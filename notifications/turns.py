"""Whose turn it is: conversations one after the other, and of each the first unsent delivery."""

from __future__ import annotations

from typing import Final

from django.db import connection

# As Django's Now() says it.
_NOW: Final = {
    "postgresql": "STATEMENT_TIMESTAMP()",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
}
_FIRST: Final = """(
    SELECT {what} FROM notifications_delivery owed
    WHERE owed.status = 'due' AND owed.session_id = turn.session_id
    ORDER BY owed.seq LIMIT 1
)"""
_IS_FREE: Final = "owed.due_at <= {now} AND (owed.lease_until IS NULL OR owed.lease_until < {now})"
# From one conversation to the next along the index, with a look at the first delivery of each: what
# follows it is never read, and the walk ends where enough are found. A join could be planned as one
# of all with all, in any order.
_WALK: Final = """
WITH RECURSIVE turn (session_id) AS (
    SELECT min(session_id) FROM notifications_delivery
    WHERE status = 'due' AND session_id > %s
    UNION ALL
    SELECT (
        SELECT min(session_id) FROM notifications_delivery
        WHERE status = 'due' AND session_id > turn.session_id
    )
    FROM turn WHERE turn.session_id IS NOT NULL
)
SELECT {number}, {token} FROM turn WHERE {is_free} LIMIT %s
"""


def upcoming(most: int, *, after: str) -> dict[int, str]:
    """Deliveries that could be claimed, from the conversation behind `after` on and around.

    By number, in the order of their turns, with whose lease on them ran out.
    """
    found = _walk(most, after)
    if after and len(found) < most:
        found |= _walk(most, "")
    return dict(list(found.items())[:most])


def _walk(most: int, after: str) -> dict[int, str]:
    statement = _WALK.format(
        number=_FIRST.format(what="owed.event_id"),
        token=_FIRST.format(what="owed.lease_token"),
        is_free=_FIRST.format(what=_IS_FREE.format(now=_NOW[connection.vendor])),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [after, most])
        return dict(cursor.fetchall())
