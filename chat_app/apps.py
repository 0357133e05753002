"""The Django application `chat_app`."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Messages and their answers."""

    name = "chat_app"
    verbose_name = "Messages"
