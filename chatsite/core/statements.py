"""Statements of hot paths: the ORM builds each once, since that takes it longer than the asking.

What is built, and what its values become, is Django's; only the building is not repeated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql.subqueries import UpdateQuery

P = ParamSpec("P")
S = TypeVar("S")
M = TypeVar("M", bound=Model)

_ONE_VALUE = "IN (%s)"
# Rows that one statement inserts; beyond that it is as well built for them alone.
_MOST = 100


class Slot(Expression):
    """A value that each asking brings under `name`, or values, within `IN`; of `field`'s kind."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """A parameter that is this slot."""
        return "%s", [self]

    def prepared(self, value: Any) -> Any:
        """The value as the database takes it."""
        return self.output_field.get_db_prep_value(value, connection)


class Statement:
    """SQL, and its parameters with slots among them."""

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self._sql, self._parameters = sql, tuple(parameters)

    def ask(self, **given: Any) -> list[tuple[Any, ...]]:
        """What it returns, with these values in its slots."""
        sql = self._sql
        values: list[Any] = []
        for one in self._parameters:
            if not isinstance(one, Slot):
                values.append(one)
            elif not isinstance(value := given[one.name], list):
                values.append(one.prepared(value))
            elif value:
                sql = sql.replace(_ONE_VALUE, f"IN ({', '.join(['%s'] * len(value))})", 1)
                values += map(one.prepared, value)
            else:
                return []  # nothing is in nothing
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found


class Rows(Statement, Generic[M]):
    """One that returns whole rows of a model."""

    def __init__(self, rows: QuerySet[M], statement: tuple[str, Sequence[Any]]) -> None:
        super().__init__(*statement)
        self._model, self._query = rows.model, rows.model._base_manager.all().query
        compiler = self._compiler()
        compiler.as_sql()
        columns = [column for column, _, _ in compiler.select]
        self._names = [column.target.attname for column in columns]
        self._converters = compiler.get_converters(columns)

    def find(self, **given: Any) -> list[M]:
        """The rows, with these values in its slots."""
        found = self._compiler().apply_converters(self.ask(**given), self._converters)
        alias = connection.alias
        return [self._model.from_db(alias, self._names, row) for row in found]

    def _compiler(self) -> Any:
        return self._query.get_compiler(connection.alias)


def once(build: Callable[P, S]) -> Callable[P, S]:
    """The function that builds a statement, called once for each of its arguments."""

    @functools.cache
    def built(_vendor: str, *args: Any, **options: Any) -> S:
        return build(*args, **options)

    @functools.wraps(build)
    def found(*args: P.args, **options: P.kwargs) -> S:
        return built(connection.vendor, *args, **options)  # type: ignore[arg-type]

    return found


def select(rows: QuerySet[M]) -> Rows[M]:
    """The statement that reads these rows."""
    return Rows(rows, rows.query.sql_with_params())


def update(rows: QuerySet[Any], columns: Sequence[str], **values: Any) -> Statement:
    """`rows.update(**values)` that returns of each row that was changed its new `columns`."""
    return Statement(*_updating(rows, columns, values))


def update_rows(rows: QuerySet[M], **values: Any) -> Rows[M]:
    """`rows.update(**values)` that returns the rows that were changed."""
    every = [field.name for field in rows.model._meta.concrete_fields]
    return Rows(rows, _updating(rows, every, values))


def insert(rows: Sequence[Model]) -> None:
    """`bulk_create(rows)` for a few rows of one model, whose columns have values in Python."""
    if not rows:
        return
    model, meta = type(rows[0]), rows[0]._meta
    if len(rows) > _MOST:
        model._base_manager.bulk_create(rows)
        return
    is_numbered = rows[0].pk is None  # by the database
    fields = [one for one in meta.concrete_fields if not (is_numbered and one.primary_key)]
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for row in rows
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(_inserting(connection.vendor, model, len(rows), is_numbered), values)
        keys = cursor.fetchall() if is_numbered else ()
    for row, (key,) in zip(rows, keys, strict=False):
        row.pk = key
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


@functools.cache
def _inserting(_vendor: str, model: type[Model], count: int, is_numbered: bool) -> str:
    quote, meta = connection.ops.quote_name, model._meta
    fields = meta.concrete_fields
    names = [str(one.column) for one in fields if not (is_numbered and one.primary_key)]
    places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * count)
    numbers = f" RETURNING {quote(str(meta.pk.column))}" if is_numbered else ""
    return (
        f"INSERT INTO {quote(meta.db_table)} ({', '.join(map(quote, names))})"  # noqa: S608  (our own names)
        f" VALUES {places}{numbers}"
    )


def _updating(
    rows: QuerySet[Any], columns: Sequence[str], values: dict[str, Any]
) -> tuple[str, Sequence[Any]]:
    query: UpdateQuery = rows.query.chain(UpdateQuery)  # type: ignore[assignment]
    query.add_update_values(values)
    query.clear_ordering(force=True)
    statement, parameters = query.get_compiler(connection.alias).as_sql()
    fields = rows.model._meta
    names = (connection.ops.quote_name(fields.get_field(name).column) for name in columns)
    return f"{statement} RETURNING {', '.join(names)}", parameters
