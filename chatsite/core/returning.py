"""UPDATE … RETURNING, which both databases know and Django's ORM does not; and UPDATE as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.db.models.sql.subqueries import UpdateQuery


def update(rows: QuerySet[Any], columns: Sequence[str], **values: Any) -> list[tuple[Any, ...]]:
    """`rows.update(**values)`, and of each row that was changed its new `columns`."""
    statement, parameters = compiled(rows, **values)
    connection = connections[rows.db]
    fields = rows.model._meta
    names = (connection.ops.quote_name(fields.get_field(name).column) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} RETURNING {', '.join(names)}", parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def compiled(rows: QuerySet[Any], **values: Any) -> tuple[str, tuple[Any, ...]]:
    """The statement of `rows.update(**values)` and its parameters."""
    query: UpdateQuery = rows.query.chain(UpdateQuery)  # type: ignore[assignment]
    query.add_update_values(values)
    query.clear_ordering(force=True)
    statement, parameters = query.get_compiler(rows.db).as_sql()
    return statement, tuple(parameters)
