"""That somebody is writing: told to who watches, every few seconds at most, stored nowhere."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

from chatsite.core import live

ASSISTANT: Final = "assistant"
STAFF: Final = "staff"
# Readers show it for ten seconds; Discord and the admin tell of every key.
_EVERY_SECONDS = 4.0
_MOST_REMEMBERED = 4096

_told: OrderedDict[tuple[str, ...], float] = OrderedDict()


def tell(*, session_id: str, who: str) -> None:
    """Show those who follow the session that `who` writes; never blocks, and may be lost."""
    if is_due(session_id, who):
        live.tell_typing(live.Typing(session_id, who))


def is_due(*key: str) -> bool:
    """Whether nothing was told under this key for some seconds; counts this as told.

    Each process counts for itself: telling twice is harmless.
    """
    now = time.monotonic()
    if now - _told.get(key, -_EVERY_SECONDS) < _EVERY_SECONDS:
        return False
    _told[key] = now
    _told.move_to_end(key)
    if len(_told) > _MOST_REMEMBERED:
        _told.popitem(last=False)
    return True
