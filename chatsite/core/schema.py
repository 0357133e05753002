"""Which migrations the database lacks, by their names: nothing is imported to find out."""

from __future__ import annotations

import functools
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper


def missing(cursor: CursorWrapper) -> list[str]:
    """`app.0001_name` of what is not applied; what only the database knows is newer code's."""
    if "django_migrations" not in connection.introspection.table_names(cursor):
        return list(_known())
    cursor.execute("SELECT app, name FROM django_migrations")
    applied = {f"{app}.{name}" for app, name in cursor.fetchall()}
    return [name for name in _known() if name not in applied]


@functools.cache
def _known() -> tuple[str, ...]:
    """The migrations that this code brings."""
    return tuple(
        f"{config.label}.{path.stem}"
        for config in apps.get_app_configs()
        for path in sorted((Path(config.path) / "migrations").glob("[0-9]*.py"))
    )
