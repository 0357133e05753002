"""System checks: what must be set before the product starts, said by name."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

_SECRETS = ("SECRET_KEY", "JWT_SECRET_KEY", "EMAIL_HASH_KEY")
_ADDRESSES = ("LLM_API_BASE", "DISCORD_API_BASE", "DISCORD_GATEWAY_URL")
_LEAST_BYTES = 32
# RFC 7518 3.2: a key has at least the size of the hash.
_LEAST_BYTES_OF_TOKENS = {"HS256": 32, "HS384": 48, "HS512": 64}


@register(Tags.security)
def check_secrets(**_: Any) -> list[CheckMessage]:
    """Every key is there and long enough, and none serves two purposes."""
    message = checks.Warning if settings.DEBUG else Error
    weak = [(name, least) for name, key, least in _keys() if len(key.encode()) < least]
    found: list[CheckMessage] = [
        message(
            f"{name} is missing or shorter than {least} bytes.",
            hint=f"Set {name} (or {name}_FILE); make one with: openssl rand -base64 48",
            id="chatsite.E001",
        )
        for name, least in dict(weak).items()
    ]
    if not weak and len({key for _, key, _ in _keys()}) < len(list(_keys())):
        names = ", ".join((*_SECRETS, "JWT_PREVIOUS_KEYS"))
        found.append(message("Two of the keys are the same.", hint=names, id="chatsite.E002"))
    return found


def _keys() -> Iterator[tuple[str, str, int]]:
    """Each key with its setting's name and its least length in bytes."""
    of_tokens = _LEAST_BYTES_OF_TOKENS[settings.JWT_ALGORITHM]
    for name in _SECRETS:
        yield name, getattr(settings, name), of_tokens if "JWT" in name else _LEAST_BYTES
    for key in settings.JWT_PREVIOUS_KEYS:
        yield "JWT_PREVIOUS_KEYS", key, of_tokens


@register(Tags.security)
def check_addresses(**_: Any) -> list[CheckMessage]:
    """What conversations are sent to is spoken to with TLS, or is this machine."""
    return [
        Error(
            f"{name} is neither https (or wss) nor on this machine.",
            hint="Conversations and keys are sent there: name an address with TLS.",
            id="chatsite.E003",
        )
        for name in _ADDRESSES
        if (address := getattr(settings, name)) and not _is_sealed(address)
    ]


def _is_sealed(address: str) -> bool:
    try:
        parts = urlsplit(address)
        if parts.scheme in {"https", "wss"}:
            return bool(parts.hostname)
        is_here = parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
    return is_here and parts.scheme in {"http", "ws"}


@register()
def check_ports(**_: Any) -> list[CheckMessage]:
    """The figures have a port of their own: one that is both would answer no visitor."""
    if not settings.METRICS_PORT or settings.METRICS_PORT != settings.PORT:
        return []
    text = f"METRICS_PORT and PORT are both {settings.PORT}."
    return [Error(text, hint="Set METRICS_PORT to another one, or to 0.", id="chatsite.E004")]


def refuse_one_port_for_two() -> None:
    """End the process, naming the settings, where check_ports finds an error."""
    if errors := check_ports():
        raise SystemExit("\n".join(f"{one.msg} {one.hint}" for one in errors))


def refuse_open_addresses() -> None:
    """End the process, naming the setting, where check_addresses finds an error."""
    if errors := check_addresses():
        raise SystemExit("\n".join(f"{one.msg} {one.hint}" for one in errors))


def refuse_weak_keys() -> None:
    """End the process, naming the setting, where check_secrets finds an error."""
    if errors := [one for one in check_secrets() if one.is_serious()]:
        raise SystemExit("\n".join(f"{one.msg} {one.hint}" for one in errors))
