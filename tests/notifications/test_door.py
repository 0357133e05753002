"""The door to Discord's REST API: its errors become ours, and nothing of the library passes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from notifications import discord_client, embeds
from notifications.discord_client import Door
from tests.standins.discord import TOKEN

pytestmark = [pytest.mark.django_db, pytest.mark.asyncio]

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _configured(discord_server: Any) -> None:
    discord_client.configure(
        api_base=discord_server.api_base, gateway_url=discord_server.gateway_url
    )


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    """Logged in with the first call."""
    made = Door(TOKEN)
    yield made
    await made.close()


def note(seq: int) -> embeds.Post:
    return embeds.note(seq=seq, text="Hello", when=NOW)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, 50083, discord_client.Archived),
        (403, 160005, discord_client.Archived),
        (404, 10003, discord_client.ChannelGone),
        (404, 10008, discord_client.MessageGone),
        (404, 0, discord_client.ChannelGone),
        (400, 50035, discord_client.Rejected),
        (400, 30046, discord_client.RateLimited),
        (401, 0, discord_client.Refused),
        (403, 50013, discord_client.Forbidden),
        (503, 0, discord_client.Unavailable),
        (408, 0, discord_client.Unavailable),
    ],
)
async def test_each_refusal_is_an_error_of_ours(
    discord_server: Any, door: Door, status: int, code: int, error: type[Exception]
) -> None:
    discord_server.fault(r"POST .*/messages$", status=status, code=code)
    with pytest.raises(discord_client.DiscordError) as caught:
        await door.post(discord_server.channel_id, note(1), nonce="n")
    assert type(caught.value) is error
    assert caught.value.permanent is (error is discord_client.Rejected)


async def test_a_long_limit_comes_back_with_its_seconds(discord_server: Any, door: Door) -> None:
    discord_server.fault(r"POST .*/messages$", status=429, retry_after=120.0)
    with pytest.raises(discord_client.RateLimited) as caught:
        await door.post(discord_server.channel_id, note(1), nonce="n")
    assert (round(caught.value.seconds), caught.value.everywhere) == (120, False)


@pytest.mark.parametrize(("header", "seconds"), [(None, 60.0), ("soon", 60.0), ("9999", 3600.0)])
async def test_a_limit_that_says_nothing_clear_has_bounds(header: Any, seconds: float) -> None:
    assert discord_client._seconds(header) == seconds


async def test_a_bad_token_leaves_a_door_that_tries_again(discord_server: Any) -> None:
    door = Door("wrong")
    await door.close()  # nothing to log out of
    for _ in range(2):
        with pytest.raises(discord_client.Refused, match="DISCORD_BOT_TOKEN"):
            await door.post(discord_server.channel_id, note(1), nonce="n")
    await door.close()


async def test_a_call_of_a_door_that_closes_meanwhile_is_tried_again(
    discord_server: Any, door: Door
) -> None:
    """Another task's refusal has closed the session: aiohttp says so with a RuntimeError."""
    await door.post(discord_server.channel_id, note(1), nonce="n")
    assert door._client
    await door._client.close()
    with pytest.raises(discord_client.Unavailable):
        await door.post(discord_server.channel_id, note(2), nonce="n")


async def test_looks_for_markers_over_pages_and_no_further_than_asked(
    discord_server: Any, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_client, "_PAGE", 10)
    channel = discord_server.channel_id
    first = await door.post(channel, note(1), nonce="1")
    stranger = discord_server.write
    for number in range(15):
        stranger(channel, {**discord_server.me, "id": "5"}, f"line {number}")
    last = await door.post(channel, note(2), nonce="2")
    since = datetime.now(UTC) - timedelta(minutes=5)
    assert await door.find(channel, ["#1", "#2", "#3"], since=since) == {"#1": first, "#2": last}
    pages = [path for _, method, path, _ in discord_server.requests if method == "GET"]
    assert sum(path.endswith("/messages") for path in pages) == 2
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await door.find(channel, ["#1"], since=later) == {}


async def test_reads_so_many_pages_of_a_thread_at_most(
    discord_server: Any, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_client, "_PAGE", 10)
    channel = discord_server.channel_id
    first = await door.post(channel, note(1), nonce="1")
    for number in range(51):
        discord_server.messages[channel].append(
            {**discord_server.messages[channel][0], "id": str(int(first) + number + 1)}
        )
    discord_server.messages[channel][0]["embeds"][0]["footer"]["text"] = "#9"
    since = datetime.now(UTC) - timedelta(minutes=5)
    assert await door.find(channel, ["#8"], since=since) == {}
    pages = [path for _, method, path, _ in discord_server.requests if method == "GET"]
    assert sum(path.endswith("/messages") for path in pages) == 5
