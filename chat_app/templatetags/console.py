"""What the console's templates need: short times, money, and the hue of a visitor."""

from __future__ import annotations

import zlib
from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from chat_app.console.filters import Filters
from chat_app.console.transcript import SPEAKERS
from chat_app.models import MessageType

register = template.Library()

_STEPS = ((60, "s"), (3600, "min"), (86400, "h"), (86400 * 60, "d"))


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in one number: `5 min`, `3 h`, `12 d`, else the month and year."""
    if moment is None:
        return "–"
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 10:
        return "now"
    divisor = 1
    for limit, unit in _STEPS:
        if seconds < limit:
            return f"{seconds // divisor} {unit}"
        divisor = limit if unit != "h" else 86400
    return f"{moment:%b %Y}"


@register.filter
def money(cost: Decimal | None) -> str:
    """US dollars with as many places as it takes to see something."""
    if not cost:
        return "–"
    return f"${cost:.2f}" if cost >= 1 else f"${cost:.4f}"


@register.filter
def seconds(ms: int | None) -> str:
    """Milliseconds as seconds."""
    return "–" if ms is None else f"{ms / 1000:.2f} s"


@register.filter
def grouped(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"


@register.filter
def hue(value: str) -> int:
    """One of eight colours that stays the visitor's own."""
    return zlib.crc32(str(value).encode()) % 8


@register.filter
def page(chosen: Filters, number: int) -> str:
    """The list's query string with another page."""
    return chosen.query(page=number)


@register.filter
def speaker(kind: str) -> str:
    """Who says messages of this kind."""
    return SPEAKERS[MessageType(kind)]
