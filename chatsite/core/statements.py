"""Statements of hot paths: the ORM builds each once, since that takes it longer than the asking.

What is built, and what its values become, is Django's; only the building is not repeated, and
PostgreSQL's planning neither (core/postgresql)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    OperationalError,
    connection,
    connections,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql.subqueries import UpdateQuery

P = ParamSpec("P")
S = TypeVar("S")
M = TypeVar("M", bound=Model)

_PLACE = "%s"
# Rows that one statement inserts; beyond that it is as well built for them alone.
_MOST = 100


class Slot(Expression):
    """A value that each asking brings under `name`, or a list of them, within `IN`."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """A parameter that is this slot."""
        return _PLACE, [self]

    def value(self, given: Mapping[str, Any], here: BaseDatabaseWrapper) -> Any:
        """What was given for it, as the database takes it."""
        value, prepared = given[self.name], self.output_field.get_db_prep_value
        if isinstance(value, list):
            return [prepared(one, here) for one in value]
        return prepared(value, here)


class Statement:
    """SQL, and its parameters with slots among them."""

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self._takes_lists = connection.vendor == "postgresql"
        texts = sql.split(_PLACE)
        if self._takes_lists:
            texts, parameters = _for_any_values(texts, parameters)
        self._first, *rest = texts
        # With each parameter the SQL that follows it; a `%s` that is none is refused here.
        self._parts = tuple(zip(parameters, rest, strict=True))

    def ask(self, **given: Any) -> list[tuple[Any, ...]]:
        """What it returns, with these values in its slots."""
        here = connections[DEFAULT_DB_ALIAS]
        sql: list[str] = [self._first]
        values: list[Any] = []
        for one, after in self._parts:
            value = one.value(given, here) if isinstance(one, Slot) else one
            if value == []:
                return []  # nothing is in nothing
            many = [value] if self._takes_lists or not isinstance(value, list) else value
            sql += [", ".join([_PLACE] * len(many)), after]
            values += many
        return run("".join(sql), values)


def run(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What the SQL returns with these values."""
    return each(sql, [values])


def each(sql: str, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """What the SQL returns with each of these rows of values, in order; one round trip for all.

    Raises OperationalError where a plan is void by now and a transaction is open: it is worth
    trying all of it again.
    """
    here: Any = connections[DEFAULT_DB_ALIAS]
    if not rows:
        return []
    if here.vendor == "postgresql":
        try:
            return _at_once(here, here.planned(sql), rows)
        except DatabaseError as error:
            if not here.forget_plan(sql, error):
                raise
            if here.in_atomic_block:  # nothing can be asked any more within it, but after it
                raise OperationalError(*error.args) from error.__cause__
            return _at_once(here, sql, rows)
    found: list[tuple[Any, ...]] = []
    with here.cursor() as cursor:
        for values in rows:
            cursor.execute(sql, values)
            found += cursor.fetchall()
    return found


def _at_once(here: Any, asked: str, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    with here.cursor() as cursor:
        cursor.execute("; ".join([asked] * len(rows)), list(itertools.chain(*rows)))
        return list(_fetched(cursor))


def _fetched(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while True:
        if cursor.description:
            yield from cursor.fetchall()
        if not cursor.nextset():
            return


def _for_any_values(
    between: Sequence[str], parameters: Sequence[Any]
) -> tuple[list[str], list[Slot]]:
    """SQL and parameters with what is fixed written out, and one array for each list in a slot.

    So it is one text whatever is asked; and where PostgreSQL plans it for all values it still
    sees the fixed ones, which the index of a part of the rows may depend on.
    """
    first, *rest = between
    texts, slots = [first], []
    for one, after in zip(parameters, rest, strict=True):
        if not isinstance(one, Slot):
            literal = connection.ops.compose_sql(_PLACE, [one])  # type: ignore[attr-defined]
            texts[-1] += literal.replace("%", "%%") + after
            continue
        if texts[-1].endswith("IN (") and after.startswith(")"):
            texts[-1] = texts[-1].removesuffix("IN (") + "= ANY ("
        texts.append(after)
        slots.append(one)
    return texts, slots


class Rows(Statement, Generic[M]):
    """One that returns whole rows of a model."""

    def __init__(self, rows: QuerySet[M], statement: tuple[str, Sequence[Any]]) -> None:
        super().__init__(*statement)
        self._model, self._query = rows.model, rows.query
        fields = rows.model._meta.concrete_fields
        self._names = [field.attname for field in fields]
        columns = [field.get_col(rows.model._meta.db_table) for field in fields]
        self._converters = self._compiler().get_converters(columns)

    def find(self, **given: Any) -> list[M]:
        """The rows, with these values in its slots."""
        found = self._compiler().apply_converters(self.ask(**given), self._converters)
        return [self._model.from_db(DEFAULT_DB_ALIAS, self._names, row) for row in found]

    def _compiler(self) -> Any:
        return self._query.get_compiler(DEFAULT_DB_ALIAS)


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
    """The statement that reads these rows, whole."""
    return Rows(rows, rows.query.sql_with_params())


def update(rows: QuerySet[Any], columns: Sequence[str], **values: Any) -> Statement:
    """`rows.update(**values)` that returns of each row that was changed its new `columns`."""
    return Statement(*_updating(rows, columns, values))


def update_rows(rows: QuerySet[M], **values: Any) -> Rows[M]:
    """`rows.update(**values)` that returns the rows that were changed."""
    every = [field.name for field in rows.model._meta.concrete_fields]
    return Rows(rows, _updating(rows, every, values))


def insert(rows: Sequence[Model]) -> None:
    """`bulk_create(rows)` for a few rows of one model, whose columns have values in Python.

    All of them bring their keys, or the database gives each its own.
    """
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
    nulls = tuple(value is None for value in values)
    statement = _inserting(connection.vendor, model, nulls, is_numbered)
    keys = run(statement, [value for value in values if value is not None])
    if is_numbered:
        for row, (key,) in zip(rows, keys, strict=True):
            row.pk = key
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


@functools.lru_cache(maxsize=256)
def _inserting(_vendor: str, model: type[Model], nulls: tuple[bool, ...], is_numbered: bool) -> str:
    """The statement; `nulls` says of each value, row after row, whether it is none.

    Those are written out: psycopg looks anew for the places of more than fifty values each time,
    a fiftieth of what a question costs the web.
    """
    quote, meta = connection.ops.quote_name, model._meta
    fields = meta.concrete_fields
    names = [str(one.column) for one in fields if not (is_numbered and one.primary_key)]
    given = ["NULL" if is_null else "%s" for is_null in nulls]
    rows = (given[at : at + len(names)] for at in range(0, len(given), len(names)))
    places = ", ".join(f"({', '.join(row)})" for row in rows)
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
