"""The Django application of the admin, with our site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Names the site; Django finds the `admin` modules of all rooms."""

    default_site = "chatsite.core.site.ConsoleSite"
