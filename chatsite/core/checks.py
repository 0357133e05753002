"""System checks: what must be set before the product starts, said by name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

_SECRETS = ("SECRET_KEY", "JWT_SECRET_KEY", "EMAIL_HASH_KEY")
_LEAST_BYTES = 32  # RFC 7518 3.2: an HS256 key has at least the size of the hash


@register(Tags.security)
def check_secrets(**_: Any) -> list[CheckMessage]:
    """Every key is there and long enough, and none serves two purposes."""
    message = checks.Warning if settings.DEBUG else Error
    weak = [name for name in _SECRETS if len(getattr(settings, name).encode()) < _LEAST_BYTES]
    found: list[CheckMessage] = [
        message(
            f"{name} is missing or shorter than {_LEAST_BYTES} bytes.",
            hint=f"Set {name} (or {name}_FILE); make one with: openssl rand -base64 48",
            id="chatsite.E001",
        )
        for name in weak
    ]
    if not weak and len({getattr(settings, name) for name in _SECRETS}) < len(_SECRETS):
        found.append(
            message("Two of the keys are the same.", hint=", ".join(_SECRETS), id="chatsite.E002")
        )
    return found


def refuse_weak_keys() -> None:
    """End the process, naming the setting, where check_secrets finds an error."""
    if errors := [one for one in check_secrets() if one.is_serious()]:
        raise SystemExit("\n".join(f"{one.msg} {one.hint}" for one in errors))
