"""`/widget.js`, `/client.js` and what they import: files that any website may load."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

from chat_app.packing import ENTRIES, FOLDER, PACKED, is_fresh
from chatsite.core import errors

_TYPES = {".js": "text/javascript; charset=utf-8", ".ts": "text/plain; charset=utf-8"}
# Short: all files of a page expire together, so an upgrade never mixes two versions for long.
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent: as it is and compressed, under one tag."""

    body: bytes
    packed: bytes
    tag: str
    content_type: str


async def script(request: HttpRequest, name: str) -> HttpResponse:
    """A file of the widget or of the client, to any origin."""
    if request.method not in {"GET", "HEAD"}:
        return errors.response(request, errors.MethodNotAllowed())
    found = await sync_to_async(_changed if settings.DEBUG else load)(name)
    if found is None:
        return errors.response(request, errors.NotFound())
    return _answer(request, found)


async def preferences(request: HttpRequest) -> HttpResponse:
    """`/widget.json`: what the widget must know of this installation; nothing in it is secret."""
    return _answer(request, _asset(json.dumps(_preferences()).encode(), "application/json"))


@functools.lru_cache(maxsize=64)
def load(name: str, is_packed: bool = True) -> Asset | None:
    """The file by its name in the URL, or None; names are matched against what is there."""
    if name not in names():
        return None
    path = (PACKED if is_packed and name in ENTRIES else FOLDER) / name
    return _asset(path.read_bytes(), _TYPES[path.suffix])


@functools.lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """All files that are served here, as they stand in URLs."""
    patterns = ("*.js", "*.d.ts", "widget/*.js", "client/*.js")
    found = [path for pattern in patterns for path in FOLDER.glob(pattern)]
    return frozenset(str(path.relative_to(FOLDER)) for path in found)


def _changed(name: str) -> Asset | None:
    """In development the file as it is now: the sources themselves until they are packed again."""
    load.cache_clear()
    names.cache_clear()
    return load(name, is_fresh())


def _preferences() -> dict[str, str | int]:
    return {
        "consent": settings.WIDGET_CONSENT,
        "retention": settings.WIDGET_RETENTION,
        "privacy": settings.WIDGET_PRIVACY_URL,
        "session_hours": settings.JWT_EXPIRE_HOURS,
        "max_message_length": settings.MAX_MESSAGE_LENGTH,
    }


def _asset(body: bytes, content_type: str) -> Asset:
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    return Asset(body, gzip.compress(body, 9, mtime=0), tag, content_type)


def _answer(request: HttpRequest, asset: Asset) -> HttpResponse:
    response: HttpResponse
    if asset.tag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponseNotModified()
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(asset.packed, headers={"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(asset.body)
    for header, value in (
        ("Content-Type", asset.content_type),
        ("ETag", asset.tag),
        ("Cache-Control", "no-cache" if settings.DEBUG else f"public, max-age={_SECONDS}"),
        ("Access-Control-Allow-Origin", "*"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
    ):
        response[header] = value
    patch_vary_headers(response, ["Accept-Encoding"])
    return response
