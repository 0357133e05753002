"""`python -m tests.system.contract 10000`: that many requests made from the schema, all checked.

A product of its own is started for it; the seed is printed, and a second word is taken for it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.system.processes import ROOT, Stack

CONFIG = Path(__file__).with_name("schemathesis.toml")
# Polls end soon, and no session runs out of messages.
SETTINGS = {"LONG_POLL_SECONDS": "0.05", "MESSAGE_LIMIT": "1000000"}
_WITHIN = 570.0
_EXAMPLES_A_ROUND = 150


@dataclass(frozen=True)
class Round:
    """What one run of schemathesis said and which responses it got."""

    passed: bool
    said: str
    responses: list[dict[str, Any]]


def once(stack: Stack, *, seed: str, examples: int, token: str = "") -> Round:
    """Make requests from the schema, single ones and in sequence, with every check there is."""
    # Signed in, the session must live to the end.
    signed_in = ["-H", f"Authorization: Bearer {token}", "--exclude-operation-id=end_session"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "all.har")
        done = subprocess.run(
            [
                # The console script: `python -m schemathesis` does not exist.
                *(str(Path(sys.executable).with_name("schemathesis")), f"--config-file={CONFIG}"),
                *("run", f"{stack.url}/api/schema", "--exclude-path=/api/schema"),
                *("--phases=examples,coverage,fuzzing,stateful", f"--max-examples={examples}"),
                *(f"--seed={seed}", "--generation-database=none", "--suppress-health-check=all"),
                *("--warnings=off", "--no-shrink", "--no-color", "--request-timeout=60"),
                *(f"--report-har-path={report}", *(signed_in if token else [])),
            ],
            cwd=ROOT,
            env=stack.environment(),
            capture_output=True,
            text=True,
            timeout=_WITHIN,
            check=False,
        )
        return Round(done.returncode == 0, done.stdout + done.stderr, list(_responses(report)))


def sign_in(stack: Stack) -> str:
    """The token of a new session."""
    email = {"email": "contract@example.org"}
    found: str = httpx.post(f"{stack.url}/auth/email", json=email).json()["access_token"]
    return found


def _responses(report: Path) -> Iterator[dict[str, Any]]:
    if report.exists():
        for entry in json.loads(report.read_text())["log"]["entries"]:
            yield entry["response"]


def main(least: int, seed: int) -> int:
    """Rounds, signed in and not, until there were `least` requests; the exit code."""
    statuses: Counter[int] = Counter()
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), database_url=f"sqlite:///{folder}/c.sqlite3", **SETTINGS)
        try:
            stack.start()
            for number in range(seed, seed + least):
                token = "" if number % 4 == 3 else sign_in(stack)
                found = once(stack, seed=str(number), examples=_EXAMPLES_A_ROUND, token=token)
                statuses.update(one["status"] for one in found.responses)
                total = statuses.total()
                print(f"{total} requests, by status: {dict(sorted(statuses.items()))}", flush=True)
                if not found.passed or max(statuses) >= 500:
                    print(found.said, *(text for pair in stack.tails() for text in pair), sep="\n")
                    return 1
                if total >= least:
                    break
        finally:
            stack.close()
    print(f"{statuses.total()} requests, 0 failures")
    return 0


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:]]
    sys.exit(main(wanted[0], wanted[1] if len(wanted) > 1 else secrets.randbelow(10**6)))
