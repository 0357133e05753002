"""`python -m benchmarks.table FIGURES.json`: the figures of a file as Markdown, for the docs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def lines(run: dict[str, Any]) -> Iterator[str]:
    """The run's table."""
    yield f"### {run['database']}"
    yield "| case | figure | measured | floor | must | unit |"
    yield "|---|---|---:|---:|---:|---|"
    for one in run["figures"]:
        floor = "" if one["floor"] is None else f"{one['floor']:.1f}"
        must = "" if one["must"] is None else f"{'≥' if one['at_least'] else '≤'} {one['must']:g}"
        cells = (one["case"], one["name"], f"{one['value']:.1f}", floor, must, one["unit"])
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for found in json.loads(Path(sys.argv[1]).read_text())["runs"]:
        print("\n".join(lines(found)) + "\n")
