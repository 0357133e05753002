"""chatsite.core.cancelling"""

import asyncio

import pytest

from chatsite.core import cancelling


@pytest.mark.asyncio
async def test_ends_a_task_that_swallows_its_first_cancellation() -> None:
    task = asyncio.create_task(_swallow_once())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await cancelling.end(task, again=0.01)
    assert task.cancelled()


@pytest.mark.asyncio
async def test_does_not_raise_what_the_task_raised() -> None:
    task = asyncio.create_task(_raise_when_cancelled())
    await asyncio.sleep(0)
    await cancelling.end(task)
    assert isinstance(task.exception(), ValueError)


async def _swallow_once() -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(60)


async def _raise_when_cancelled() -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError as error:
        raise ValueError from error
