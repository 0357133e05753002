"""`python -m benchmarks.plot FIGURES.json PICTURE.svg`: the figures beside the floor, as a picture.

Bars of one run: ours, litellm's floor of the same run, and a line where it must be."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

_WIDTH, _LEFT, _RIGHT, _ROW = 980, 460, 90, 34
_OURS, _FLOOR, _MUST = "#3563c9", "#a9b8d9", "#c0392b"
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.small{font-size:11px;fill:#666}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.small{fill:#aaa}}"
)


def picture(run: dict[str, Any]) -> str:
    """The run as SVG."""
    rows = [one for one in run["figures"] if one["must"] is not None and one["must"] > 0]
    height = 70 + _ROW * len(rows)
    title = f"{run['database']}: measured, beside litellm's floor of the same run"
    body = "\n".join(line for place, one in enumerate(rows) for line in _row(place, one))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<text x="12" y="24" font-weight="600">{escape(title)}</text>\n'
        f'<text x="12" y="42" class="small">blue: measured; pale: the floor; red line: '
        f"what it must be (each row has its own scale)</text>\n{body}\n</svg>\n"
    )


def _row(place: int, one: dict[str, Any]) -> Iterator[str]:
    top = 56 + _ROW * place
    values: Sequence[float] = [one["value"], one["must"], one["floor"] or 0.0]
    scale = (_WIDTH - _LEFT - _RIGHT) / (max(values) * 1.02)
    name = f"{one['case']}: {one['name']} ({one['unit']})"
    yield f'<text x="12" y="{top + 18}">{escape(name)}</text>'
    yield _bar(top + 5, one["value"] * scale, 11, _OURS)
    if one["floor"] is not None:
        yield _bar(top + 17, one["floor"] * scale, 6, _FLOOR)
    where = _LEFT + one["must"] * scale
    yield f'<path d="M{where:.1f} {top + 2}v24" stroke="{_MUST}" stroke-width="2"/>'
    yield f'<text x="{_WIDTH - _RIGHT + 8}" y="{top + 16}">{one["value"]:g}</text>'


def _bar(top: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{_LEFT}" y="{top}" width="{max(1.0, width):.1f}" height="{height}" '
        f'fill="{colour}"/>'
    )


def main(figures: str, image: str) -> None:
    """Draw the first run of the file."""
    run = json.loads(Path(figures).read_text())["runs"][0]
    Path(image).write_text(picture(run))


if __name__ == "__main__":
    main(*sys.argv[1:3])
