"""Exporting conversations: chosen ones or a whole list, streamed, counted, and recorded."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.core.exceptions import BadRequest
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from redis.exceptions import RedisError

from chat_app.console import filters, formats, listing, transcript
from chat_app.console.access import Viewer, actor, require, viewer
from chat_app.console.search import search
from chat_app.models import ChatMessage
from sessions_app import audit
from sessions_app.models import Act, ChatSession

MOST: Final = 20_000
_BATCH: Final = 100
_KEY = re.compile(r"[A-Za-z0-9_-]{8,40}")
_PROGRESS_SECONDS: Final = 600


def begin(request: HttpRequest) -> HttpResponseBase:
    """Stream the ticked conversations, or, with `all`, those of the list's choices."""
    who = viewer(request)
    require(who.may_export)
    form = request.POST.get("format", "")
    if form not in formats.CONTENT_TYPES:
        raise BadRequest("Choose a format.")
    ids = _chosen(request)
    _record(request, form, ids)
    key = request.POST.get("key", "")
    track = f"export:{who.pk}:{key}" if _KEY.fullmatch(key) else ""
    name = f"conversations-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    return StreamingHttpResponse(
        _stream(form, ids, who, track),
        content_type=formats.CONTENT_TYPES[form],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Accel-Buffering": "no",
            "Cache-Control": "no-store",
        },
    )


def progress(request: HttpRequest, key: str) -> JsonResponse:
    """How far the export is that was begun with this key by the same person."""
    who = viewer(request)
    require(who.may_export)
    done, total = _told(f"export:{who.pk}:{key}")
    return JsonResponse({"done": done, "total": total})


def _chosen(request: HttpRequest) -> list[str]:
    if request.POST.get("all"):
        chosen = filters.read(request.POST)
        found = search(filters.apply(chosen), chosen).sessions
        return list(found.values_list("pk", flat=True)[:MOST])
    ticked = [pk for pk in request.POST.getlist("pk")[:MOST] if "\0" not in pk]
    return list(ChatSession.objects.filter(pk__in=ticked).values_list("pk", flat=True))


def _record(request: HttpRequest, form: str, ids: list[str]) -> None:
    which = filters.read(request.POST).query() if request.POST.get("all") else "ticked"
    audit.record(
        actor=actor(request),
        act=Act.EXPORT,
        session_id=ids[0] if len(ids) == 1 else None,
        detail=f"{len(ids)} conversations as {form}: {which or 'all'}",
    )


async def _stream(form: str, ids: list[str], who: Viewer, track: str) -> AsyncIterator[str]:
    yield formats.head(form)
    for first in range(0, len(ids), _BATCH):
        await _tell(track, first, len(ids))
        yield await _write(form, ids[first : first + _BATCH], who)
    await _tell(track, len(ids), len(ids))
    yield formats.tail(form)


@sync_to_async
def _write(form: str, ids: list[str], who: Viewer) -> str:
    """A batch: two queries, however long its conversations are."""
    sessions = ChatSession.objects.select_related("contact").in_bulk(ids)
    said: dict[str, list[ChatMessage]] = {}
    for one in ChatMessage.objects.filter(session_id__in=ids).order_by("session_id", "seq"):
        if transcript.is_shown(one):
            said.setdefault(one.session_id, []).append(one)
    return "".join(
        formats.conversation(
            form, sessions[pk], listing.visitor(sessions[pk], who), said.get(pk, [])
        )
        for pk in ids
        if pk in sessions
    )


@sync_to_async
def _tell(track: str, done: int, total: int) -> None:
    if not track:
        return
    try:
        caches["limits"].set(track, [done, total], timeout=_PROGRESS_SECONDS)
    except (RedisError, OSError):
        return  # only the progress is not shown


def _told(track: str) -> tuple[int, int]:
    try:
        found: Any = caches["limits"].get(track)
    except (RedisError, OSError):
        found = None
    return (found[0], found[1]) if found else (0, 0)
