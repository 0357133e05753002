"""`make bench`: measures the product beside the floor of the same run; a table, and JSON.

`python -m benchmarks [--short] [--database sqlite|postgresql|both] [--json FILE] [CASE ...]`"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import cases, discord, machine, stack, stored  # noqa: F401  (they register cases)
from benchmarks.bench import CASES, Bench, Figure

_SHORT = ("first", "waiting100", "streaming50", "saturation", "streams1000", "auth", "history")
_FILES = 8192


def main() -> int:
    """Run what was asked for; 0 when all of it could be measured."""
    options = _options()
    _allow_many_files()
    runs = [_run(kind, options) for kind in _databases(options.database)]
    if options.json:
        found = {"machine": machine.here(), "runs": runs}
        Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--short", action="store_true", help="a minute, for CI")
    parser.add_argument("--database", default="", help="sqlite, postgresql or both")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    parser.add_argument("--json", default="", help="file for the figures")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    options.cases = options.cases or (_SHORT if options.short else tuple(CASES))
    if options.short:
        options.seconds = 2.0
    return options


def _databases(wanted: str) -> tuple[str, ...]:
    has_postgresql = os.environ.get("DATABASE_URL", "").startswith("postgres")
    if not wanted:
        wanted = "both" if has_postgresql else "sqlite"
    return ("postgresql", "sqlite") if wanted == "both" else (wanted,)


def _run(kind: str, options: argparse.Namespace) -> dict[str, Any]:
    print(f"\n{kind}: {machine.here()}", flush=True)
    print(f"{'case':14} {'figure':42} {'value':>9} {'floor':>9}  {'must':9} unit", flush=True)
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        stack.database(kind, Path(folder)) as url,
        stack.running(Path(folder), url) as running,
        contextlib.closing(stack.Floor(running)) as floor,
    ):
        bench = Bench(kind, running, floor, options.seconds, options.short, on_figure=_show)
        bench.case = "idle"
        bench.say("web worker, the larger", max(running.megabytes_at_first), "MB resident",
                  must=100)  # fmt: skip
        for name in options.cases:
            bench.case = name
            uvloop.run(CASES[name](bench))
        bench.case = "memory"
        for name, pids in running.groups().items():
            bench.say(f"{name}, the largest", max(machine.megabytes(pids)), "MB resident",
                      must=100 if name == "web" else None)  # fmt: skip
    print(f"{time.perf_counter() - began:.0f} s in all", flush=True)
    return {"database": kind, "figures": [figure.as_json() for figure in bench.figures]}


def _show(figure: Figure) -> None:
    floor = "" if figure.floor is None else f"{figure.floor:.1f}"
    must = "" if figure.must is None else f"{'≥' if figure.at_least else '≤'} {figure.must:g}"
    mark = "" if figure.is_kept else "   not kept"
    print(
        f"{figure.case:14} {figure.name:42} {figure.value:9.1f} {floor:>9}  {must:9} "
        f"{figure.unit}{mark}",
        flush=True,
    )


def _allow_many_files() -> None:
    """A thousand streams and those who ask need more open files than the usual 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
