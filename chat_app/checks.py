"""System checks of what answers need: a model, and instructions for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004


@register()
def check_model(**_: Any) -> list[CheckMessage]:
    """There is a model to ask."""
    if settings.LLM_MODEL:
        return []
    return [
        Warning(
            "No model is set: every question gets the fallback text.",
            hint="Set GOOGLE_API_KEY, or LLM_MODEL and what it needs.",
            id="chatsite.W010",
        )
    ]


@register()
def check_system_prompt(**_: Any) -> list[CheckMessage]:
    """The file with the model's instructions can be read."""
    try:
        Path(settings.LLM_SYSTEM_PROMPT_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        return [
            Error(
                f"LLM_SYSTEM_PROMPT_FILE cannot be read: {error}",
                hint="Name a text file in UTF-8, or leave the setting out.",
                id="chatsite.E011",
            )
        ]
    return []
