"""Work in lots: what comes while one lot is in work is the next one."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST = 50


class Lots(Generic[T, R]):
    """Hands items to `act` as many at a time as have come; one lot at a time, on one loop.

    Where `act` raises, all of the lot raise; an exception among its results is that item's alone.
    """

    def __init__(self, act: Callable[[list[T]], Awaitable[Sequence[R | Exception]]]) -> None:
        self._act = act
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None

    async def do(self, item: T) -> R:
        """Have the item done; returns or raises what became of it."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._task is None:
            # A context of its own: it outlives whoever came first, whose thread it would ask for.
            self._task = asyncio.create_task(self._work(), context=contextvars.Context())
        return await done

    async def _work(self) -> None:
        try:
            await self._do_all()
        finally:
            self._task = None

    async def _do_all(self) -> None:
        while self._waiting:
            lot, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                results = await self._act([item for item, _ in lot])
            except Exception as error:  # whoever waits gets it
                results = [error] * len(lot)
            for (_, done), result in zip(lot, results, strict=True):
                if done.done():
                    continue
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)
