"""The database as one file, and back: pg_dump's custom form, or a copy of SQLite's file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection

_SQLITE = b"SQLite format 3\x00"
_CUSTOM = b"PGDMP"


class CannotDump(Exception):
    """Says in one line why there is no backup, or nothing restored."""


def save(file: Path) -> None:
    """Write the database to `file`, which appears when it is whole. Raises CannotDump."""
    part = file.with_name(f"{file.name}.part")
    part.touch(mode=0o600)  # conversations, and addresses of people
    try:
        if connection.vendor == "sqlite":
            _copy(_name(), str(part))
            _check(part)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={part}")
            _run("pg_restore", "--list", str(part))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def load(file: Path) -> None:
    """Put what `file` holds in the place of the database's contents. Raises CannotDump."""
    kind = _kind(file)
    if kind != connection.vendor:
        raise CannotDump(
            f"{file} is of {kind or 'neither kind'}, the database {connection.vendor}."
        )
    connection.close()
    if kind == "sqlite":
        _check(file)
        _copy(str(file), _name())
    else:
        # In one transaction: all of it, or as it was.
        _run(
            *("pg_restore", "--clean", "--if-exists", "--no-owner", "--no-acl"),
            *("--single-transaction", "--exit-on-error", f"--dbname={_name()}", str(file)),
        )


def _kind(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise CannotDump(f"{file} cannot be read: {error.strerror}.") from error
    if head == _SQLITE:
        return "sqlite"
    return "postgresql" if head.startswith(_CUSTOM) else ""


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _copy(source: str, target: str) -> None:
    """By SQLite's own means: what others write meanwhile is in it whole or not at all."""
    with (
        closing(sqlite3.connect(source, timeout=30)) as one,
        closing(sqlite3.connect(target, timeout=30)) as other,
    ):
        one.backup(other)


def _check(file: Path) -> None:
    try:
        with closing(sqlite3.connect(file)) as opened:
            (said,) = opened.execute("PRAGMA quick_check").fetchone()
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise CannotDump(f"{file} is damaged: {said}")


def _run(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise CannotDump(
            f"{program} is not installed (Debian: postgresql-client);"
            " it must be as new as the server."
        )
    ran = subprocess.run(  # noqa: S603  (our own arguments)
        [program, *arguments],
        env={**os.environ, **_environment(connection.settings_dict)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise CannotDump(f"{program}: {ran.stderr.strip()[-500:]}")


def _environment(database: Mapping[str, Any]) -> dict[str, str]:
    """The connection as libpq's variables: a password is in no list of processes."""
    given = {
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
    }
    return {name: str(value) for name, value in given.items() if value}
