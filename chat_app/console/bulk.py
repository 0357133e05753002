"""Writing very many rows at once: COPY, and indexes made once when all rows are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection, transaction

# Foreign keys from and to the tables, then what else makes an index, then the other indexes; those
# of a few rows only are no burden.
_CONSTRAINTS: Final = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE contype IN ('f', 'p', 'u')
      AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
    ORDER BY contype <> 'f'
"""
_INDEXES: Final = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY(%(tables)s::regclass[]) AND indpred IS NULL
"""
_SETTINGS: Final = (
    "SET LOCAL statement_timeout = 0",
    # What is yet to be checked at the end would be in the way of changing the tables.
    "SET CONSTRAINTS ALL IMMEDIATE",
    "SET LOCAL maintenance_work_mem = '1GB'",
    # A crash loses all of the transaction anyway.
    "SET LOCAL synchronous_commit = off",
)


@contextmanager
def without_indexes(*tables: str) -> Iterator[None]:
    """On PostgreSQL, one transaction in which these tables have no full index and no foreign key.

    They are made again at its end, which is several times quicker than keeping them for each row.
    Until then nobody else can use the tables; where anything fails, all is as it was.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _SETTINGS:
            cursor.execute(statement)
        again = _drop(cursor, list(tables))
        yield
        for statement in again:
            cursor.execute(statement)


def insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write the rows, in the transaction of the caller."""
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  (ours)
            cursor.executemany(statement, [_adapted(row) for row in rows])


def _drop(cursor: Any, tables: list[str]) -> list[str]:
    """Drop what checks or indexes each row; the statements that make it again, in their order."""
    cursor.execute(_CONSTRAINTS, {"tables": tables})
    constraints = cursor.fetchall()
    for table, name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(_INDEXES, {"tables": tables})
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    # The last dropped comes first: a foreign key needs the primary key that it points at.
    made = [f"ALTER TABLE {t} ADD CONSTRAINT {name} {what}" for t, name, what in constraints[::-1]]
    return [*(what for _, what in indexes), *made]


def _adapted(row: Sequence[Any]) -> list[Any]:
    """Moments as Django stores them in SQLite."""
    return [str(one.replace(tzinfo=None)) if hasattr(one, "tzinfo") else one for one in row]
