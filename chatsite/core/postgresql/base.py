"""The database backend: Django's own, which keeps plans and sees for itself that it has died."""

from __future__ import annotations

import hashlib
import select
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from chatsite.core.postgresql import states

# Whatever is asked so often on one connection is asked again.
_OFTEN = 3
# The server keeps some 50 KB for each, on each connection.
_MOST_PLANS = 100
# Rows that are inserted many at a time come in as many shapes; those are not worth it.
_MOST_VALUES = 64
# How the first plan is made, so that it is good when the tables are full: they may be empty yet.
# When they have grown, what ANALYZE finds has the server make another one.
_OTHER_WAYS = ("seqscan", "bitmapscan", "hashjoin", "mergejoin")
_BY_INDEX = " ".join(f"SET enable_{way} = off;" for way in _OTHER_WAYS)
_ANY_WAY = " ".join(f"RESET enable_{way};" for way in _OTHER_WAYS)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL."""

    # By statement: how often it was asked, or how it is asked now.
    _plans: dict[str, int | str]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Django's; nothing is planned on it yet."""
        self._plans = {}
        return super().get_new_connection(conn_params)

    def planned(self, sql: str) -> str:
        """How to ask for `sql`: as it stands, or as an EXECUTE with the same values.

        The server parses and plans what is asked often only once; to plan takes it longer than
        most of these askings. The values go on as text, which its own binding would make dearer
        here than it saves there (ADR 0068).
        """
        if not settings.DATABASE_PLANS:
            return sql
        # As `cursor()` does, but before: a plan is this connection's, not that of the next.
        self.close_if_health_check_failed()
        self.ensure_connection()
        found = self._plans.get(sql, 0)
        if isinstance(found, str):
            return found
        parts = sql.split("%s")
        is_full = not found and len(self._plans) >= _MOST_PLANS
        if is_full or len(parts) > _MOST_VALUES or "%%" in sql:
            return sql
        if found + 1 < _OFTEN:
            self._plans[sql] = found + 1
            return sql
        self._plans[sql] = sql  # what cannot be planned is asked as it stands
        self._plans[sql] = asked = self._plan(sql, parts)
        return asked

    def forget_plan(self, sql: str, error: Exception) -> bool:
        """Have it asked as it stands, on this connection, if the plan is what the error is about.

        Says whether it is: then nothing was done of what was asked.
        """
        asked = self._plans.get(sql)
        is_planned = isinstance(asked, str) and asked != sql
        if not is_planned or states.of(error) not in states.VOID_PLAN:
            return False
        self._plans[sql] = sql
        return True

    def _plan(self, sql: str, parts: list[str]) -> str:
        # Named by what it asks: whatever stands between, no name is another statement's.
        name = f"chatsite_{hashlib.blake2s(sql.encode(), digest_size=8).hexdigest()}"
        numbered = "".join(f"{part}${place}" for place, part in enumerate(parts[:-1], 1))
        places = ["%s"] * (len(parts) - 1)
        asked = f"EXECUTE {name} ({', '.join(places)})" if places else f"EXECUTE {name}"
        with self.wrap_database_errors:
            self.connection.execute(
                f"{_BY_INDEX} PREPARE {name} AS {numbered}{parts[-1]};"
                f" EXPLAIN {asked.replace('%s', 'NULL')}; {_ANY_WAY}"
            )
        return asked

    def is_usable(self) -> bool:
        """Whether a kept connection still is one; asked before each request's first query.

        A server that ends a connection says so on it, and nothing else comes unasked: where there
        is nothing to read no query needs to ask. Measured, that query was a sixth of a request's.
        """
        if self.connection is None or self.connection.closed:
            return False
        if not _has_something_to_read(self.connection.fileno()):
            return True
        return bool(super().is_usable())


def _has_something_to_read(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))
