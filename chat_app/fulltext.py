"""The index of what was said: how each database keeps it, and how it is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from chat_app.models import ChatMessage

# Of a word that is everywhere, the newest so many messages are looked at.
MOST_MATCHES: Final = 200
_MOST_WORDS = 12
_SHORTEST_BEGINNING = 3
_WORD = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')

# `simple`: no language is assumed, so no word is dropped or cut to a stem; the beginning of a
# word finds it instead.
_POSTGRESQL = (
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS message_words ON chat_app_chatmessage "
    "USING gin (to_tsvector('simple', content))"
)
# FTS5 knows rows by whole numbers, and a table without one is renumbered by VACUUM: so messages
# get numbers of their own.
_SQLITE = (
    "CREATE TABLE IF NOT EXISTS message_number "
    "(id INTEGER PRIMARY KEY, message_id VARCHAR(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS message_words "
    "USING fts5(content, tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER IF NOT EXISTS message_words_insert AFTER INSERT ON chat_app_chatmessage BEGIN "
    "INSERT INTO message_number(message_id) VALUES (new.id); "
    "INSERT INTO message_words(rowid, content) VALUES (last_insert_rowid(), new.content); END",
    "CREATE TRIGGER IF NOT EXISTS message_words_update AFTER UPDATE OF content "
    "ON chat_app_chatmessage WHEN old.content <> new.content BEGIN "
    "UPDATE message_words SET content = new.content WHERE rowid = "
    "(SELECT id FROM message_number WHERE message_id = new.id); END",
    "CREATE TRIGGER IF NOT EXISTS message_words_delete AFTER DELETE ON chat_app_chatmessage BEGIN "
    "DELETE FROM message_words WHERE rowid = "
    "(SELECT id FROM message_number WHERE message_id = old.id); "
    "DELETE FROM message_number WHERE message_id = old.id; END",
)
_SQLITE_FILL = (
    "DELETE FROM message_words",
    "DELETE FROM message_number",
    "INSERT INTO message_number(message_id) SELECT id FROM chat_app_chatmessage ORDER BY timestamp",
    "INSERT INTO message_words(rowid, content) SELECT n.id, m.content "
    "FROM message_number n JOIN chat_app_chatmessage m ON m.id = n.message_id",
)
_MATCHES = {
    "postgresql": "to_tsvector('simple', content) @@ to_tsquery('simple', %s)",
    "sqlite": "chat_app_chatmessage.id IN (SELECT n.message_id FROM message_words w "
    "JOIN message_number n ON n.id = w.rowid WHERE message_words MATCH %s "
    "ORDER BY w.rowid DESC LIMIT 1000)",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase of a search, wanted or not."""

    text: str
    is_phrase: bool
    is_excluded: bool

    @property
    def is_whole(self) -> bool:
        """Whether its beginning is not enough: `A-1` would else be all that begins with `a`."""
        return self.is_phrase or len(self.text) < _SHORTEST_BEGINNING or not self.text.isalnum()


def install(database: BaseDatabaseWrapper) -> None:
    """Make the index where it is not; on SQLite, whenever a migration has dropped its triggers."""
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(_POSTGRESQL)
            cursor.execute("RESET statement_timeout")
        elif database.vendor == "sqlite" and not _has_triggers(cursor):
            with transaction.atomic(using=database.alias):
                for statement in (*_SQLITE, *_SQLITE_FILL):
                    cursor.execute(statement)


def terms(typed: str) -> list[Term]:
    """The words and "phrases" of what was typed; `-` excludes one."""
    found = [
        Term((phrase or word).replace("\0", " "), bool(phrase), bool(minus))
        for minus, phrase, word in _WORD.findall(typed)
    ]
    return [one for one in found if any(map(str.isalnum, one.text))][:_MOST_WORDS]


def matching(wanted: list[Term]) -> QuerySet[ChatMessage]:
    """The messages in which all of this is found; nothing where nothing is wanted."""
    if all(one.is_excluded for one in wanted):
        return ChatMessage.objects.none()
    make = _tsquery if connection.vendor == "postgresql" else _fts5
    found = _MATCHES[connection.vendor]  # what was typed goes in as a parameter
    return ChatMessage.objects.extra(where=[found], params=[make(wanted)])  # noqa: S610  (constants)


def _tsquery(wanted: list[Term]) -> str:
    def one(term: Term) -> str:
        quoted = "'" + term.text.replace("\\", " ").replace("'", "''") + "'"
        return ("!" if term.is_excluded else "") + quoted + ("" if term.is_whole else ":*")

    return " & ".join(map(one, wanted))


def _fts5(wanted: list[Term]) -> str:
    def one(term: Term) -> str:
        return '"' + term.text.replace('"', " ") + '"' + ("" if term.is_whole else "*")

    include = " AND ".join(one(term) for term in wanted if not term.is_excluded)
    exclude = [one(term) for term in wanted if term.is_excluded]
    return " NOT ".join([f"({include})", *exclude])


def _has_triggers(cursor: Any) -> bool:
    cursor.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'message_words%%'"
    )
    return bool(cursor.fetchone()[0] == 3)
