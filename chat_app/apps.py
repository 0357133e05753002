"""The Django application `chat_app`."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Messages and their answers."""

    name = "chat_app"
    verbose_name = "Messages"

    def ready(self) -> None:
        from chat_app import checks  # noqa: F401  (registers itself)
