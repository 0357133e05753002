"""What is wrong with the settings of Discord, said by name; pure but for the settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def faults() -> list[str]:
    """One sentence for each setting that keeps the mirror from working; empty where it is off."""
    if not settings.DISCORD_ENABLED:
        return []
    found = []
    if not settings.DISCORD_BOT_TOKEN:
        found.append("DISCORD_BOT_TOKEN is not set.")
    if not settings.DISCORD_CHANNEL_ID:
        found.append("DISCORD_CHANNEL_ID is not set.")
    elif not _is_id(settings.DISCORD_CHANNEL_ID):
        found.append("DISCORD_CHANNEL_ID is not an id: copy it with Discord's developer mode on.")
    found += [
        f"DISCORD_MODERATOR_ROLE_IDS: {role[:40]!r} is not an id."
        for role in settings.DISCORD_MODERATOR_ROLE_IDS
        if not _is_id(role)
    ]
    return found + _urls()


def is_complete() -> bool:
    """Whether the mirror and the bot can be started."""
    return bool(settings.DISCORD_ENABLED) and not faults()


def _urls() -> list[str]:
    found = []
    for name, scheme in (("DISCORD_API_BASE", "https"), ("DISCORD_GATEWAY_URL", "wss")):
        parts = urlsplit(getattr(settings, name))
        if parts.scheme != scheme and parts.hostname not in _LOOPBACK:
            found.append(f"{name} must begin with {scheme}:// (the token is sent there).")
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and 15 <= len(text) <= 20
