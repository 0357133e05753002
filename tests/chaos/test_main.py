"""The command: what it runs, and the exit status by which CI knows."""

from __future__ import annotations

import argparse
import sys

import pytest

from chaos import __main__ as command
from chaos.judge import LOST, Finding
from chaos.report import Outcome
from chaos.rows import ROWS

_PLAIN = {"only": "", "short": False, "seed": 0, "seconds": 0.0, "rate": 20.0}
_LONG = {"messages": 0, "recoveries": 0, "resumptions": 0, "soak": 0.0}


def names(database: str = "sqlite", **asked: object) -> list[str]:
    """What is run when so much is asked for."""
    arguments = argparse.Namespace(**{**_PLAIN, **_LONG, **asked})
    return [name for name, _, _ in command._pieces(arguments, database)]


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([Outcome("F1", "sqlite")], 0),
        ([Outcome("F1", "sqlite"), Outcome("F2", "sqlite", error="late")], 1),
        ([Outcome("F1", "sqlite", findings=[Finding(LOST, "an answer")])], 1),
        ([], 1),
    ],
    ids=["all green", "a bound", "a loss", "nothing ran"],
)
def test_says_by_its_exit_status_whether_all_is_green(
    monkeypatch: pytest.MonkeyPatch, outcomes: list[Outcome], status: int
) -> None:
    async def run(_asked: object) -> list[Outcome]:
        return outcomes

    monkeypatch.setattr(sys, "argv", ["chaos"])
    monkeypatch.setattr(command, "_run", run)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)

    assert command.main() == status


def test_has_every_row_of_the_table() -> None:
    assert set(ROWS) == {f"F{number}" for number in range(22)}


def test_runs_each_row_on_the_databases_that_it_is_about() -> None:
    assert "F11" not in names("sqlite")
    assert "F12" in names("sqlite")
    assert "F12" not in names("postgres")
    assert names("postgres")[:2] == ["F0", "F1"]
    assert names("postgres")[-1].startswith("seed ")


def test_runs_what_was_asked_for() -> None:
    assert names(only="F5,F1") == ["F1", "F5"]
    assert names(seed=7, seconds=60.0) == ["seed 7"]
    assert names(recoveries=50) == ["kill -9"]
    assert set(names(short=True)[:-1]) < set(names())
    with pytest.raises(SystemExit, match="no such row: F99"):
        names(only="F99")
