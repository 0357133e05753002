"""The rows of the table of faults: one file a family, each row a function of the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from chaos.world import World

Act = Callable[[World], Awaitable[str]]


@dataclass(frozen=True)
class Row:
    """One fault: how it is made is in `act`, which says what it measured or raises Broken."""

    name: str
    what: str
    act: Act
    is_short: bool  # in the short form too
    only: str  # the one database that it is about; empty: both


ROWS: Final[dict[str, Row]] = {}


def row(name: str, what: str, *, short: bool = False, only: str = "") -> Callable[[Act], Act]:
    """Name a row of the table."""

    def register(act: Act) -> Act:
        ROWS[name] = Row(name, what, act, short, only)
        return act

    return register
