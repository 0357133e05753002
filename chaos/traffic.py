"""Visitors who keep talking while something breaks."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import Any, Self

from chaos.ledger import Guest, Word

_names = itertools.count(1)


class Traffic:
    """So many questions a second, by these guests in turn; one guest says one at a time."""

    def __init__(
        self, guests: Sequence[Guest], *, per_second: float, within: float = 120.0, most: int = 0
    ) -> None:
        self.words: list[Word] = []
        self._guests, self._pause, self._within = guests, 1 / per_second, within
        self._most = most  # as many questions, then no more; 0: no bound
        self._name = next(_names)
        self._tasks: list[asyncio.Task[Any]] = []
        self._ending = False
        self._due = time.monotonic()

    async def __aenter__(self) -> Self:
        self._due = time.monotonic()
        self._tasks = [asyncio.create_task(self._talk(guest)) for guest in self._guests]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Every question that was begun is said to its end."""
        self._ending = True
        await self.finish()

    async def finish(self) -> None:
        """Wait until nobody talks any more."""
        await asyncio.gather(*self._tasks)

    @property
    def failed(self) -> list[Word]:
        """The questions that were not accepted at the first try."""
        return [word for word in self.words if word.statuses and word.statuses[0] not in (200, 202)]

    async def _talk(self, guest: Guest) -> None:
        while not (self._ending or (self._most and len(self.words) >= self._most)):
            # The next moment that nobody has taken; whoever is late does not make it up in a burst.
            now = time.monotonic()
            self._due = max(self._due + self._pause, now - 1.0)
            word = guest.word(f"traffic {self._name}, question {len(self.words)}")
            self.words.append(word)
            await asyncio.sleep(max(0.0, self._due - now))
            await guest.insist(word, within=self._within)
