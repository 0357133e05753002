"""Dropping indexes in migrations, while the table is in use."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def dropping(*names: str) -> migrations.RunPython:
    """The operation that drops these, where they are; its migration must not be atomic."""

    def drop(_apps: Any, schema_editor: Any) -> None:
        at_work = " CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
        for name in names:
            schema_editor.execute(f"DROP INDEX{at_work} IF EXISTS {name}")

    return migrations.RunPython(drop, migrations.RunPython.noop)
