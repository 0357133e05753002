"""What a case is given: the running product, the floor, and a place for its figures."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks import machine
from benchmarks.stack import Floor, Stack


@dataclass(frozen=True)
class Figure:
    """One figure, beside the floor of the same run and what it must not pass, where there are."""

    case: str
    name: str
    value: float
    unit: str
    floor: float | None = None
    must: float | None = None
    at_least: bool = False  # `must` is a lower bound

    @property
    def is_kept(self) -> bool:
        """Whether the figure is as it must be."""
        if self.must is None:
            return True
        return self.value >= self.must if self.at_least else self.value <= self.must

    def as_json(self) -> dict[str, Any]:
        """For the file."""
        return asdict(self)


@dataclass
class Bench:
    """One run on one database."""

    kind: str  # of the database
    stack: Stack
    floor: Floor
    seconds: float  # of each load
    is_short: bool = False
    figures: list[Figure] = field(default_factory=list)
    case: str = ""
    on_figure: Callable[[Figure], None] = lambda _figure: None

    def say(self, name: str, value: float, unit: str, **more: Any) -> None:
        """Add a figure of the running case."""
        figure = Figure(self.case, name, round(value, 2), unit, **more)
        self.figures.append(figure)
        self.on_figure(figure)

    async def bare(self, **options: Any) -> dict[str, Any]:
        """The floor under a load; nothing else runs meanwhile."""
        return await asyncio.to_thread(self.floor.load, **options)

    def meter(self) -> machine.Meter:
        """Begin to count CPU time by process."""
        return machine.Meter(self.stack.groups)

    def web_megabytes(self) -> list[float]:
        """What each web worker has resident."""
        return machine.megabytes(self.stack.web_workers())


Case = Callable[[Bench], Awaitable[None]]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    """Register a case under its name."""

    def register(act: Case) -> Case:
        CASES[name] = act
        return act

    return register


def ms(seconds: Sequence[float], quantile: float, less: float = 0.0) -> float:
    """The quantile in milliseconds, `less` seconds of intended delay taken off."""
    if not seconds:
        return float("nan")
    ordered = sorted(seconds)
    if quantile == 0.5:
        return (statistics.median(ordered) - less) * 1000
    return (ordered[min(len(ordered) - 1, int(len(ordered) * quantile))] - less) * 1000
