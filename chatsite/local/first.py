"""What the database needs before the processes start: its tables, and somebody who may log in."""

from __future__ import annotations

import os
import secrets

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections

NAME = "admin"
_BYTES = 12


def prepare() -> str | None:
    """Migrate; the password of the superuser where there was no staff and one was made."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
        return _superuser()
    finally:
        connections.close_all()


def _superuser() -> str | None:
    users = get_user_model()._default_manager
    if users.filter(is_staff=True).exists() or users.filter(username=NAME).exists():
        return None
    password = os.environ.get("DJANGO_SUPERUSER_PASSWORD") or secrets.token_urlsafe(_BYTES)
    users.create_superuser(NAME, "", password)
    return password
