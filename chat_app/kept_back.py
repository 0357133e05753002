"""The canary in the system prompt, and what is stored where a model gives its instructions away."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from django.conf import settings

from chat_app.answers import Outcome
from chat_app.models import AnswerStatus

TEXT: Final = (
    "For safety reasons I cannot give the answer to this message. "
    "Please ask in another way, and I will gladly help."
)


def canary() -> str:
    """What stands in the system prompt and must never leave: 48 bits of this installation's own.

    The same in every request, so that providers find the prompt's beginning in their caches.
    """
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, b"canary", hashlib.sha256).hexdigest()[:12]


def outcome() -> Outcome:
    """The polite text, and a label that staff see."""
    return Outcome(
        AnswerStatus.DONE,
        TEXT,
        safety=True,
        labels=[{"name": "canary", "rule": "system_prompt"}],
        error="canary",
        model=settings.LLM_MODEL,
    )
