"""The Django application `chat_app`."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class ChatConfig(AppConfig):
    """Messages and their answers."""

    name = "chat_app"
    verbose_name = "Messages"

    def ready(self) -> None:
        from chat_app import checks  # noqa: F401  (registers itself)

        post_migrate.connect(_keep_index, sender=self, dispatch_uid="fulltext")


def _keep_index(using: str, **_: Any) -> None:
    """SQLite drops a table's triggers when a migration makes the table anew."""
    from chat_app import fulltext

    database = connections[using]
    if database.vendor == "sqlite" and "message_words" in database.introspection.table_names():
        fulltext.install(database)
