"""UPDATE … RETURNING, which both databases know and Django's ORM does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.db.models.sql.subqueries import UpdateQuery


def update(rows: QuerySet[Any], columns: Sequence[str], **values: Any) -> list[tuple[Any, ...]]:
    """`rows.update(**values)`, and of each row that was changed its new `columns`."""
    query: UpdateQuery = rows.query.chain(UpdateQuery)  # type: ignore[assignment]
    query.add_update_values(values)
    query.clear_ordering(force=True)
    statement, parameters = query.get_compiler(rows.db).as_sql()
    connection = connections[rows.db]
    fields = rows.model._meta
    names = (connection.ops.quote_name(fields.get_field(name).column) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} RETURNING {', '.join(names)}", parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
