"""The Django application `sessions_app`."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """Visitors' sessions."""

    name = "sessions_app"
    verbose_name = "Conversations"
