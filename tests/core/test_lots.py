"""chatsite.core.lots: what comes while one lot is in work is the next one."""

import asyncio

import pytest

from chatsite.core.lots import Lots

pytestmark = pytest.mark.asyncio


async def test_does_together_what_came_meanwhile():
    seen, gate = [], asyncio.Event()

    async def act(items):
        seen.append(items)
        await gate.wait()
        return [item * 2 for item in items]

    lots = Lots(act)
    tasks = [asyncio.create_task(lots.do(1))]
    while not seen:
        await asyncio.sleep(0)
    tasks += [asyncio.create_task(lots.do(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    gate.set()

    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert seen == [[1], [2, 3]]


async def test_tells_everybody_of_a_lot_when_it_failed_and_goes_on():
    failures = [OSError("away")]

    async def act(items):
        if failures:
            raise failures.pop()
        return items

    lots = Lots(act)
    found = await asyncio.gather(lots.do(1), lots.do(2), return_exceptions=True)
    assert [type(one) for one in found] == [OSError, OSError]

    assert await lots.do(3) == 3


async def test_tells_only_whose_it_is_when_one_of_a_lot_failed():
    async def act(items):
        return [OSError(item) if item == 2 else item for item in items]

    lots = Lots(act)
    found = await asyncio.gather(*map(lots.do, (1, 2, 3)), return_exceptions=True)

    assert [type(one) for one in found] == [int, OSError, int]


async def test_leaves_out_who_does_not_wait_any_more():
    gate = asyncio.Event()

    async def act(items):
        await gate.wait()
        if "bad" in items:
            raise OSError
        return items

    lots = Lots(act)
    gone, stays = asyncio.create_task(lots.do("a")), asyncio.create_task(lots.do("b"))
    await asyncio.sleep(0)
    gone.cancel()
    gate.set()
    assert await stays == "b"

    gate.clear()
    gone = asyncio.create_task(lots.do("bad"))
    await asyncio.sleep(0)
    gone.cancel()
    gate.set()
    await asyncio.gather(gone, lots.do("bad"), return_exceptions=True)
    assert await lots.do("c") == "c"
