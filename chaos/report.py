"""What a run says: a line for each row as it ends, a table of all at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from chaos.judge import Finding, counts

_SHOWN = 12


@dataclass
class Outcome:
    """How a row ended on a database."""

    row: str
    database: str
    seconds: float = 0.0
    figures: str = ""
    error: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_green(self) -> bool:
        """Whether every bound was held and the three zeros are zero."""
        return not self.error and not self.findings

    def lines(self) -> Iterable[str]:
        """The row in the table, and what went wrong in it."""
        zeros = "/".join(str(number) for number in counts(self.findings).values())
        state = "green" if self.is_green else "RED"
        head = f"{self.row:<10} {self.database:<9} {state:<6} {zeros:<7} {self.seconds:6.1f} s"
        yield f"{head}  {self.error or self.figures}"
        for finding in self.findings[:_SHOWN]:
            yield f"    {finding.kind}: {finding.what[:200]}"
        if len(self.findings) > _SHOWN:
            yield f"    … and {len(self.findings) - _SHOWN} more"


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(outcomes: Iterable[Outcome]) -> None:
    """All rows; the zeros are lost/doubled/out of order."""
    found = list(outcomes)
    say(f"\n{'row':<10} {'database':<9} {'':<6} {'zeros':<7} {'took':>8}  seen")
    for outcome in found:
        for line in outcome.lines():
            say(line)
    green = sum(outcome.is_green for outcome in found)
    say(f"{green} of {len(found)} green; zeros are lost/doubled/out of order")
