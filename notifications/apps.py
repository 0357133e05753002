"""The Django application `notifications`."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Deliveries of events."""

    name = "notifications"

    def ready(self) -> None:
        from notifications import checks, services  # noqa: F401  (checks register themselves)

        services.listen()
