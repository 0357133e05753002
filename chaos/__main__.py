"""`make chaos`: break the running product in every way of the table, and compare the ledger.

Exit status 0 only where every bound was held and nothing was lost, doubled or out of order."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from chaos import long_runs, report, rows, schedule, world
from chaos.report import Outcome, say
from chaos.rows import (  # noqa: F401  (they name their rows)
    broker,
    clocks,
    crashes,
    database,
    discord,
    keys,
    load,
    provider,
    starts,
    streams,
    upgrade,
    workers,
)
from chaos.running import piece
from chaos.world import World
from tests.system.machine import allow_many_files

_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
Piece = tuple[str, Callable[[World], Awaitable[str]], float]


def main() -> int:
    """Run what was asked for; the exit status."""
    asked = _arguments()
    # Whoever stops the run, its processes end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    allow_many_files()
    outcomes = asyncio.run(_run(asked))
    report.table(outcomes)
    return 0 if outcomes and all(outcome.is_green for outcome in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--only", default="", help="rows by name, F1,F5; all without it")
    parser.add_argument(
        "--short",
        action="store_true",
        help="the quick rows, then 20 s by chance; both databases at once",
    )
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--seed", type=int, default=0, help="of the random schedule")
    parser.add_argument("--seconds", type=float, default=0.0, help="that the schedule lasts")
    parser.add_argument("--messages", type=int, default=0, help="a long run of so many, broken")
    parser.add_argument("--recoveries", type=int, default=0, help="kill -9 mid-answer, so often")
    parser.add_argument("--resumptions", type=int, default=0, help="streams cut at random bytes")
    parser.add_argument("--without-discord", action="store_true", help="for runs that are long")
    parser.add_argument("--soak", type=float, default=0.0, help="minutes at --rate")
    parser.add_argument("--rate", type=float, default=20.0, help="messages a second of the soak")
    return parser.parse_args()


async def _run(asked: argparse.Namespace) -> list[Outcome]:
    """Every database in turn; in the short form all at once, since most of it is waiting."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        runs = [partial(_on, asked, Path(folder) / name, name) for name in _databases(asked)]
        if asked.short:
            found = await asyncio.gather(*(run() for run in runs))
        else:
            found = [await run() for run in runs]
    return [outcome for outcomes in found for outcome in outcomes]


def _databases(asked: argparse.Namespace) -> list[str]:
    names = asked.databases.split(",")
    for name in names:
        if _server(name) is None:
            say(f"{name}: nothing answers at {_postgres_url()}; left out")
    return [name for name in names if _server(name) is not None]


async def _on(asked: argparse.Namespace, folder: Path, name: str) -> list[Outcome]:
    say(f"{name}: starting the product")
    settings = {"DISCORD_ENABLED": "off"} if asked.without_discord else {}
    async with world.opened(folder, _server(name) or "", **settings) as opened:
        opened.is_short = asked.short
        return [
            await piece(opened, title, act, within=within)
            for title, act, within in _pieces(asked, name)
        ]


def _pieces(asked: argparse.Namespace, database_name: str) -> Iterable[Piece]:
    """What is to be run on a database, each with the seconds that it may take."""
    yield from _long(asked)
    is_plain = not any((asked.messages, asked.recoveries, asked.resumptions, asked.soak))
    only = set(filter(None, asked.only.split(",")))
    if unknown := only - set(rows.ROWS):
        raise SystemExit(
            f"no such row: {', '.join(sorted(unknown))}; there are {sorted(rows.ROWS)}"
        )
    for row in sorted(rows.ROWS.values(), key=lambda row: int(row.name[1:])):
        is_wanted = row.name in only if only else is_plain and not asked.seconds
        is_here = row.only in {"", database_name} and (row.is_short or not asked.short)
        if is_wanted and is_here:
            yield row.name, row.act, 400.0
    seconds = asked.seconds or (20.0 if is_plain and not only else 0.0)
    if seconds:
        seed = asked.seed or secrets.randbelow(10**6)
        yield f"seed {seed}", partial(schedule.run, seed=seed, seconds=seconds), seconds + 300


def _long(asked: argparse.Namespace) -> Iterable[Piece]:
    seed = asked.seed or 1
    if asked.recoveries:
        act = partial(long_runs.recoveries, times=asked.recoveries)
        yield "kill -9", act, asked.recoveries * 60.0
    if asked.resumptions:
        act = partial(streams.cut_at_random, resumptions=asked.resumptions, seed=seed)
        yield "resumed", act, 600.0 + asked.resumptions
    if asked.messages:
        act = partial(long_runs.messages, most=asked.messages, seed=seed)
        yield "long run", act, 600.0 + asked.messages
    if asked.soak:
        act = partial(long_runs.soak, minutes=asked.soak, per_second=asked.rate)
        yield "soak", act, asked.soak * 60 + 300


def _postgres_url() -> str:
    return os.environ.get("POSTGRES_URL", _POSTGRES)


def _server(name: str) -> str | None:
    """What the database is made on: nothing for SQLite; None where no server answers."""
    if name == "sqlite":
        return ""
    parts = urlsplit(_postgres_url())
    with contextlib.suppress(OSError):
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5432), 2).close()
        return _postgres_url()
    return None


if __name__ == "__main__":
    sys.exit(main())
