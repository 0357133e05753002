"""What is run: a name, a command line, and how to see that it is up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """One child. With `is_up`, the next stage waits until that is true.

    Lines that have one of the words of `untold` are not shown.
    """

    name: str
    command: tuple[str, ...]
    is_up: Callable[[], Awaitable[bool]] | None = None
    untold: tuple[str, ...] = ()
