"""System checks of Discord's settings: warnings, since chat works without Discord."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004  (Django's name)

from notifications import configuration


@register
def check_discord(**_: Any) -> list[CheckMessage]:
    """Discord is off, or completely set up."""
    return [
        Warning(
            f"Discord is half configured: {fault}",
            hint="Nothing is mirrored until then; docs/discord.md says how to set it up.",
            id="chatsite.W010",
        )
        for fault in configuration.faults()
    ]
