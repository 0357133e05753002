"""The running product keeps to the schema that it serves, whatever it is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.processes import ROOT, Stack

CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = "1"
WITHIN = 120.0


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "signed out"])
def test_keeps_to_its_schema(
    stack: Stack, tmp_path: Path, figures: dict[str, str], signed_in: bool
) -> None:
    # Signed in, the session must live to the end.
    token = ["-H", f"Authorization: Bearer {_token(stack)}", "--exclude-operation-id=end_session"]
    responses = _requests(stack, tmp_path / "all.har", *(token if signed_in else []))
    refusals = [one for one in responses if one["status"] >= 400]
    assert len(responses) > 200
    assert refusals
    assert {one["content"]["mimeType"] for one in refusals} == {"application/problem+json"}
    assert max(one["status"] for one in responses) < 500
    who = "signed in" if signed_in else "signed out"
    figures[f"requests made from the schema, {who}"] = (
        f"{len(responses)}, of which {len(refusals)} refused, all as documented"
    )


def _requests(stack: Stack, report: Path, *options: str) -> list[dict[str, Any]]:
    """Make requests from the schema with schemathesis; the responses, all of them checked."""
    # The console script: `python -m schemathesis` does not exist.
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG)),
        *("run", f"{stack.url}/api/schema", "--exclude-path=/api/schema", "--warnings=off"),
        *("--phases=examples,coverage,fuzzing", "--max-examples=25", f"--seed={SEED}"),
        *("--generation-database=none", "--suppress-health-check=all", "--no-shrink"),
        *("--no-color", f"--report-har-path={report}", *options),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=stack.environment(), capture_output=True, text=True, timeout=WITHIN
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [entry["response"] for entry in json.loads(report.read_text())["log"]["entries"]]


def _token(stack: Stack) -> str:
    email = {"email": "contract@example.org"}
    found: str = httpx.post(f"{stack.url}/auth/email", json=email).json()["access_token"]
    return found
