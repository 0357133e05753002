"""slots.py: places for streams, over all processes, that a dead process does not keep."""

import pytest
import pytest_asyncio

from chat_app import slots
from chat_app.slots import Slot, TooManyStreams
from chatsite.core import live

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def client():
    found = live.async_client()
    yield found
    await found.aclose()


async def take(client, session="a"):
    slot = Slot(client, session)
    await slot.take()
    return slot


async def test_gives_as_many_places_as_settings_say(client, settings):
    settings.STREAMS_PER_SESSION = 2
    first, _ = await take(client), await take(client)

    with pytest.raises(TooManyStreams):
        await take(client)

    assert await client.zcard("chatsite:streams:a") == 2  # who was refused holds none
    await take(client, "b")
    await first.leave()
    await take(client)


async def test_takes_the_place_back_when_its_process_is_gone(client, settings, monkeypatch):
    settings.STREAMS_PER_SESSION = 1
    await take(client)
    monkeypatch.setattr(slots, "_SECONDS", -1)

    await take(client)


async def test_keeps_the_place_when_it_is_renewed(client, settings):
    settings.STREAMS_PER_SESSION = 1
    slot = await take(client)
    await client.zadd("chatsite:streams:a", {slot._name: 1})

    await slot.renew()

    with pytest.raises(TooManyStreams):
        await take(client)


async def test_gives_the_place_unasked_when_redis_is_away(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    client = live.async_client()
    for _ in range(5):
        slot = await take(client)
    await slot.renew()
    await slot.leave()
    await client.aclose()
