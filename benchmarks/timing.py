"""Whether the time of an answer tells what its words do not: `make timing`, on a quiet machine.

Asks a running product of its own 200 times for a known and an unknown e-mail address, and for
another session's message and one that never was, in turns; prints the difference of the medians and
its 95 % interval (bootstrap). What must hold is a difference within 5 ms. The product has
a database of its own, on PostgreSQL where DATABASE_URL names one."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from tests import services

services.prepare()

import django

django.setup()

import httpx

from tests.abuse.wire import Web
from tests.support import AGENT
from tests.system import databases

TRIES = 200
_Call = Callable[[], httpx.Response]


def main(tries: int = TRIES) -> None:
    """Measure and print."""
    server, name = os.environ["DATABASE_URL"], f"chatsite_timing_{os.getpid()}"
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.fresh(server, Path(folder), name=name) as url,
    ):
        web = Web(Path(folder), database_url=url)
        web.start()
        try:
            with httpx.Client(base_url=web.url, headers={"User-Agent": AGENT}) as client:
                _measure(client, tries)
        finally:
            web.process.kill()


def _measure(client: httpx.Client, tries: int) -> None:
    known = _sign_in(client, "known@example.com")
    mine = _sign_in(client, "mine@example.com")
    token = {"Authorization": f"Bearer {mine.json()['access_token']}"}
    theirs = {"Authorization": f"Bearer {known.json()['access_token']}"}
    asked = client.post("/chat", json={"message": "Hello?"}, headers={**theirs, **_LEAVE}).json()
    message, never = asked["message_id"], "x" * 22
    numbers = iter(range(10**9))
    print(f"{tries} of each, in turns; milliseconds")
    _compare(
        "e-mail known, unknown",
        lambda: _sign_in(client, "known@example.com"),
        lambda: _sign_in(client, f"never{next(numbers):04d}@example.com"),
        200,
        tries,
    )
    _compare(
        "message of another, of nobody",
        lambda: client.get(f"/chat/messages/{message}", headers=token),
        lambda: client.get(f"/chat/messages/{never}", headers=token),
        404,
        tries,
    )


_LEAVE = {"Prefer": "respond-async"}


def _sign_in(client: httpx.Client, email: str) -> httpx.Response:
    return client.post("/auth/email", json={"email": email})


def _compare(name: str, one: _Call, other: _Call, status: int, tries: int) -> None:
    for _ in range(20):
        one(), other()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(tries):
        for call, found in zip((one, other), times, strict=True):
            began = perf_counter()
            answer = call()
            found.append((perf_counter() - began) * 1000)
            # The time of another answer, a refusal by a limit say, would say nothing.
            assert answer.status_code == status, answer.text
    low, high = _interval(*times)
    first, second = median(times[0]), median(times[1])
    print(
        f"{name:<30} {first:6.2f} {second:6.2f}  differ by {first - second:+.2f}"
        f"  ({low:+.2f} to {high:+.2f})"
    )


def _interval(one: list[float], other: list[float]) -> tuple[float, float]:
    random = Random(1)  # noqa: S311  (resampling)
    found = sorted(
        median(random.choices(one, k=len(one))) - median(random.choices(other, k=len(other)))
        for _ in range(1000)
    )
    return found[25], found[974]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
