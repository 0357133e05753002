"""What staff do from a conversation's page, by the same services as from Discord."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.http import HttpRequest

from chat_app import staff
from chat_app.console.access import Viewer, actor, require
from chatsite.core.errors import InvalidInput
from sessions_app import blocks, erasure
from sessions_app import staff as sessions

DURATIONS: Final = (
    ("1", "an hour"),
    ("24", "a day"),
    ("168", "a week"),
    ("720", "30 days"),
    ("8760", "a year"),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do: how it is done, and what the admin's log and the page say of it."""

    run: Callable[[HttpRequest, str], object]
    said: str
    unchanged: str
    is_erasure: bool = False


def perform(
    request: HttpRequest, *, name: str, session_id: str, viewer: Viewer
) -> tuple[bool, str]:
    """Do it. Whether anything changed, and a sentence about it.

    Raises PermissionDenied, KeyError where there is no such act, and what the services raise.
    """
    act = ACTS[name]
    require(viewer.may_erase if act.is_erasure else viewer.may_act)
    changed = bool(act.run(request, session_id))
    return changed, act.said if changed else act.unchanged


def _reply(request: HttpRequest, session_id: str) -> object:
    key = request.POST.get("key", "")[:64]
    return staff.post_message(
        session_id=session_id,
        text=request.POST.get("text", "").replace("\r\n", "\n"),
        actor=actor(request),
        client_key=f"admin:{request.user.pk}:{key}" if key else None,
    )


def _close(request: HttpRequest, session_id: str) -> object:
    text = request.POST.get("text", "").replace("\r\n", "\n")
    return staff.close(session_id=session_id, actor=actor(request), text=text)


def _block(request: HttpRequest, session_id: str) -> object:
    hours = request.POST.get("hours", "")
    if hours not in dict(DURATIONS):
        raise InvalidInput("Choose how long the block lasts.")
    return blocks.block(
        session_id=session_id,
        duration=timedelta(hours=int(hours)),
        reason=request.POST.get("reason", "").strip(),
        actor=actor(request),
    )


ACTS: Final = {
    "reply": Act(_reply, "Replied.", ""),
    "takeover": Act(
        lambda request, pk: staff.take_over(session_id=pk, actor=actor(request)),
        "Taken over: the AI is silent until it is handed back.",
        "A person has it already.",
    ),
    "handback": Act(
        lambda request, pk: staff.hand_back(session_id=pk, actor=actor(request)),
        "Handed back: the AI answers what is asked next.",
        "The AI has it already.",
    ),
    "close": Act(_close, "Closed.", "It was closed already."),
    "reopen": Act(
        lambda request, pk: sessions.reopen(session_id=pk, actor=actor(request)),
        "Opened again.",
        "It is open.",
    ),
    "block": Act(_block, "Blocked.", ""),
    "unblock": Act(
        lambda request, pk: blocks.unblock(session_id=pk, actor=actor(request)),
        "The block is lifted.",
        "There was no block.",
    ),
    "erase": Act(
        lambda request, pk: erasure.erase(session_id=pk, actor=actor(request)),
        "Erased: messages, address and events are gone.",
        "There is nothing to erase.",
        is_erasure=True,
    ),
}
