"""Charts as SVG, drawn here: no script, no colour without a pattern or a word beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_WIDTH, _HEIGHT = 720, 220
_LEFT, _BOTTOM, _TOP = 44, 26, 12
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of thing counted, by step; `css` names its colour and pattern."""

    name: str
    css: str
    values: Sequence[int]


def stacked(
    labels: Sequence[str], series: Sequence[Series], *, title: str, hrefs: Sequence[str]
) -> SafeString:
    """Bars, one a label, of the series on one another; a bar pointed at says its numbers."""
    totals = [sum(one.values[n] for one in series) for n in range(len(labels))]
    top = _round_up(max(totals, default=0))
    step = (_WIDTH - _LEFT) / max(1, len(labels))
    bars = [_bar(n, step, top, labels[n], series, hrefs[n]) for n in range(len(labels))]
    return _svg(title, [_grid(top), *bars, _axis(labels, step)], role="group")


def compared(
    labels: Sequence[str], now: Series, before: Series, *, title: str, hrefs: Sequence[str]
) -> SafeString:
    """Bars for now, and a dashed line with dots for the period before."""
    top = _round_up(max([*now.values, *before.values], default=0))
    step = (_WIDTH - _LEFT) / max(1, len(labels))
    bars = [_bar(n, step, top, labels[n], [now], hrefs[n]) for n in range(len(labels))]
    points = [(_LEFT + step * (n + 0.5), _y(value, top)) for n, value in enumerate(before.values)]
    line = format_html(
        '<polyline class="{}" points="{}"/>',
        before.css,
        " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
    )
    dots = format_html_join(
        "",
        '<circle class="{}-dot" cx="{}" cy="{}" r="2.5"/>',
        ((before.css, f"{x:.1f}", f"{y:.1f}") for x, y in points),
    )
    parts = [_grid(top), *bars, line, dots, _axis(labels, step)]
    return _svg(title, parts, role="group")


def week(counts: dict[tuple[int, int], int], *, title: str) -> SafeString:
    """A table of weekdays and hours; how busy is written into each cell, and shaded."""
    most = max(counts.values(), default=0)
    cell, high = (_WIDTH - _LEFT) / 24, 24
    cells = [
        _cell(day, hour, counts.get((day, hour), 0), most, cell, high)
        for day in range(7)
        for hour in range(24)
    ]
    names = format_html_join(
        "",
        '<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>',
        ((_LEFT - 8, day * high + 16, name) for day, name in enumerate(_DAYS)),
    )
    hours = format_html_join(
        "",
        '<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>',
        (
            (f"{_LEFT + hour * cell + cell / 2:.1f}", 7 * high + 16, hour)
            for hour in range(0, 24, 3)
        ),
    )
    return _svg(title, [*cells, names, hours], height=7 * high + 22)


def split(parts: Sequence[Series], *, title: str) -> SafeString:
    """One bar, split by share."""
    total = sum(part.values[0] for part in parts)
    pieces, at = [], 0.0
    for part in parts:
        width = part.values[0] / total * _WIDTH if total else 0
        pieces.append(
            format_html(
                '<rect class="{}" x="{}" y="0" width="{}" height="34"><title>{}: {}</title></rect>',
                part.css,
                f"{at:.1f}",
                f"{width:.1f}",
                part.name,
                part.values[0],
            )
        )
        at += width
    return _svg(title, pieces, height=34, fit="none")


def _bar(
    n: int, step: float, top: int, label: str, series: Sequence[Series], href: str
) -> SafeString:
    said = ", ".join(f"{one.name} {one.values[n]:,}" for one in series)
    gap = min(6.0, step * 0.22)
    rects, at = [], 0
    for one in series:
        value = one.values[n]
        if not value:
            continue
        y, low = _y(at + value, top), _y(at, top)
        place = (_LEFT + n * step + gap / 2, y, step - gap, low - y)
        rects.append((one.css, *(f"{number:.1f}" for number in place)))
        at += value
    drawn = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', rects)
    # By keyboard the same is reached in the table of numbers, without 92 stops on the way.
    return format_html(
        '<a href="{}" tabindex="-1"><title>{}: {}</title>{}</a>', href, label, said, drawn
    )


def _cell(day: int, hour: int, value: int, most: int, width: float, height: int) -> SafeString:
    level = 0 if not value else 1 + min(4, value * 5 // (most + 1))
    x, y = _LEFT + hour * width, day * height
    return format_html(
        '<g><title>{} {}:00, {}</title><rect class="heat heat-{}" x="{}" y="{}" width="{}" '
        'height="{}" rx="3"/><text class="heat-text heat-text-{}" x="{}" y="{}" '
        'text-anchor="middle">{}</text></g>',
        _DAYS[day], hour, value, level, f"{x + 1:.1f}", y + 1, f"{width - 2:.1f}", height - 2,
        level, f"{x + width / 2:.1f}", y + 16, _short(value) if value else "",
    )  # fmt: skip


def _grid(top: int) -> SafeString:
    lines = [(top * n // 4, _y(top * n / 4, top)) for n in range(5)]
    places = [
        (_LEFT, _WIDTH, f"{y:.1f}", f"{y:.1f}", _LEFT - 6, f"{y + 4:.1f}", _short(value))
        for value, y in lines
    ]
    return format_html_join(
        "",
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>',
        places,
    )


def _axis(labels: Sequence[str], step: float) -> SafeString:
    every = max(1, -(-len(labels) // 10))
    return format_html_join(
        "",
        '<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>',
        (
            (f"{_LEFT + step * (n + 0.5):.1f}", _HEIGHT - 8, label)
            for n, label in enumerate(labels)
            if n % every == 0
        ),
    )


def _svg(
    title: str,
    parts: Sequence[SafeString],
    *,
    height: int = _HEIGHT,
    fit: str = "xMidYMid",
    role: str = "img",
) -> SafeString:
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" preserveAspectRatio="{}" role="{}" '
        'aria-label="{}">{}</svg>',
        _WIDTH, height, fit, role, title, format_html_join("", "{}", ((part,) for part in parts)),
    )  # fmt: skip


def _y(value: float, top: int) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - _TOP)


def _round_up(value: int) -> int:
    """A round number that four divides, so that the grid's lines are whole."""
    unit = 4
    while unit * 10 < value:
        unit *= 10
    return next(unit * n for n in (1, 2, 3, 4, 5, 6, 8, 10) if unit * n >= value)


def _short(value: int) -> str:
    if value >= 10_000:
        return f"{value / 1000:.0f}k"
    return f"{value / 1000:.1f}k" if value >= 1000 else str(value)
