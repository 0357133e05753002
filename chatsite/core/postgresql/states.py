"""What PostgreSQL says went wrong, by the codes of its Appendix A: finer than Django's errors."""

from __future__ import annotations

from typing import Final

# Somebody else's lock was waited for too long, or each waited for the other.
LOCKED: Final = frozenset({"55P03", "40P01"})
# "cached plan must not change result type", after a migration; and a plan that is not there, behind
# a pooler or after somebody's DISCARD ALL.
VOID_PLAN: Final = frozenset({"0A000", "26000"})
# InternalErrors to Django, which are the server's trouble and not ours: it may only be read (a
# standby, or a full one in some hands); a transaction waited too long for its process.
AWAY: Final = frozenset({"25006", "25P03"})


def of(error: Exception) -> str | None:
    """The code of one of Django's database errors; None of SQLite's and of a lost connection's."""
    return getattr(error.__cause__, "sqlstate", None)
