"""A database of a run's own: a file, or one made on a PostgreSQL server and dropped again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


@contextlib.contextmanager
def fresh(server: str, folder: Path, *, name: str) -> Iterator[str]:
    """The URL of an empty database: on `server` where that is PostgreSQL's URL, else a file."""
    if not server.startswith("postgres"):
        yield f"sqlite:///{folder}/chatsite.sqlite3"
        return
    # Not by way of the database that the URL names: it need not be there.
    maintenance = urlsplit(server)._replace(path="/postgres").geturl()
    with psycopg.connect(maintenance, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        # A connection of its own: the run may have ended every one that there was.
        with psycopg.connect(maintenance, autocommit=True) as admin:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            admin.execute(drop)
