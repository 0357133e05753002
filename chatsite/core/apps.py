"""The Django application `core`: it only registers the system checks."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers checks.py."""

    name = "chatsite.core"
    label = "core"

    def ready(self) -> None:
        from chatsite.core import checks  # noqa: F401  (registers itself)
