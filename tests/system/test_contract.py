"""The running product keeps to the schema that it serves, whatever it is sent."""

from __future__ import annotations

import os

import pytest

from tests.system import contract
from tests.system.processes import Stack

SEED = os.environ.get("SEED", "1")


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "signed out"])
def test_keeps_to_its_schema(stack: Stack, figures: dict[str, str], signed_in: bool) -> None:
    token = contract.sign_in(stack) if signed_in else ""

    found = contract.once(stack, seed=SEED, examples=6, token=token)

    assert found.passed, found.said
    refusals = [one for one in found.responses if one["status"] >= 400]
    assert len(found.responses) > 200
    assert refusals
    assert {one["content"]["mimeType"] for one in refusals} == {"application/problem+json"}
    assert max(one["status"] for one in found.responses) < 500
    who = "signed in" if signed_in else "signed out"
    figures[f"requests made from the schema, {who}"] = (
        f"{len(found.responses)}, of which {len(refusals)} refused, all as documented"
    )
