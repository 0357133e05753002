"""Functions of the ORM off an event loop, on a few threads with lasting connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Awaitable calls of synchronous functions."""

    def __init__(self, threads: int, *, name: str) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def __call__(self, act: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> T:
        """Run `act` on one of the threads."""

        def call() -> T:
            close_old_connections()
            try:
                return act(*args, **options)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def close(self) -> None:
        """Close the threads' connections and end them."""
        for _ in range(self._threads):
            self._executor.submit(connections.close_all)
        self._executor.shutdown(wait=True)
