"""Whether there is room for one more question: posts beyond BACKLOG_LIMIT are refused."""

from __future__ import annotations

import time
from typing import Final

from django.conf import settings

from chat_app.models import UNFINISHED, ChatMessage
from chatsite.core.errors import Unavailable

# Where less than half is taken a process asks no more for so long, or until it took a quarter
# itself: what others take meanwhile is the other quarter's.
_MEMO_SECONDS: Final = 0.5
_free, _until = 0, 0.0


def refuse_full() -> None:
    """Raise Unavailable where as much waits as may."""
    global _free
    if _free > 0 and time.monotonic() < _until:
        _free -= 1
        return
    _ask()


def forget() -> None:
    """Ask anew at the next post."""
    global _free
    _free = 0


def _ask() -> None:
    global _free, _until
    limit = settings.BACKLOG_LIMIT
    unfinished = ChatMessage.objects.filter(status__in=[str(status) for status in UNFINISHED])
    waiting = unfinished.order_by()[:limit].count()
    if waiting >= limit:
        raise Unavailable("Too many questions are waiting; please try again.", retry_after=10)
    is_roomy = waiting < limit // 2
    _free, _until = (limit // 4 if is_roomy else 0), time.monotonic() + _MEMO_SECONDS
