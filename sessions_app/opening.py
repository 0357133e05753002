"""Storing a new session, its contact and its first event, unless something forbids it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, models
from django.db.models import QuerySet

from sessions_app.models import ChatSession, EventKind, SessionContact, SessionEvent

_Rows = tuple[str, list[Any]]
# Statements are put together of names of our own and of what the ORM compiles; values are bound.
_ALL_THREE: Final = (
    "WITH opened AS ({session} RETURNING id), contact AS ({contact} FROM opened) "
    "{event} FROM opened RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Unless:
    """What forbids it: any row of `blocks`, or `most` rows in `crowd`."""

    blocks: QuerySet[Any]
    crowd: QuerySet[Any]
    most: int | None


def store(session: ChatSession, *, email: str, unless: Unless) -> SessionEvent | None:
    """The first event, or None: then nothing is stored.

    Call inside a transaction. PostgreSQL takes one statement for it all; SQLite, which writes to
    one table a statement, three that no network lies between.
    """
    if unless.most is not None and unless.most < 1:
        return None
    contact = SessionContact(session_id=session.pk, email=email)
    event = SessionEvent(session=session, seq=1, kind=EventKind.OPENED)
    guarded = _guarded(_insert(session), unless)
    if connection.vendor == "postgresql":
        event.pk = _store_at_once(guarded, contact, event)
        is_stored = event.pk is not None
    else:
        is_stored = _store_alone(guarded)
        if is_stored:
            contact.save(force_insert=True)
            event.save(force_insert=True)
    session._state.adding = not is_stored
    return event if is_stored else None


def _store_alone(session: _Rows) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(*session)
        return bool(cursor.rowcount)


def _store_at_once(session: _Rows, contact: SessionContact, event: SessionEvent) -> int | None:
    others = _insert(contact), _insert(event)
    # Foreign keys are looked at when the transaction ends: the session's row is there then.
    statement = _ALL_THREE.format(session=session[0], contact=others[0][0], event=others[1][0])
    values = [*session[1], *others[0][1], *others[1][1]]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchone()
    return found[0] if found else None


def _insert(row: models.Model) -> _Rows:
    """INSERT … SELECT of the row's values, to which conditions may be added."""
    fields = [one for one in row._meta.concrete_fields if not isinstance(one, models.AutoField)]
    names = ", ".join(connection.ops.quote_name(str(one.column)) for one in fields)
    values = [one.get_db_prep_save(one.pre_save(row, add=True), connection) for one in fields]
    table = connection.ops.quote_name(row._meta.db_table)
    marks = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {table} ({names}) SELECT {marks}", values


def _guarded(insert: _Rows, unless: Unless) -> _Rows:
    forbids, of_forbids = unless.blocks.values("pk").query.sql_with_params()
    where, values = f" WHERE NOT EXISTS ({forbids})", [*insert[1], *of_forbids]
    if unless.most is not None:
        crowd = unless.crowd.values("pk")[: unless.most]
        counted, of_counted = crowd.query.sql_with_params()
        where += f" AND (SELECT COUNT(*) FROM ({counted}) AS crowd) < %s"  # noqa: S608  (the ORM's)
        values += [*of_counted, unless.most]
    return insert[0] + where, values
