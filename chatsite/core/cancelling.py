"""Ending asyncio tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(task: asyncio.Task[Any], *, again: float = 1.0) -> None:
    """Cancel the task, every `again` seconds until it is over; what it raised is not raised here.

    Once is not enough: in Python 3.11 `asyncio.wait_for`, which redis-py sends through, swallows a
    cancellation that comes as it finishes (cpython#86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=again)
