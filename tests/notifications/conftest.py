"""What tests of Discord use: the stand-in, a mirror of this process, a conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.standins import discord_spec
from tests.standins.discord import MODERATOR_ROLE, TOKEN, Discord
from tests.waiting import wait_until


@pytest.fixture
def discord_server(settings: Any) -> Iterator[Discord]:
    """Discord on loopback, with the settings that point at it; judges all requests at the end."""
    server = Discord().start()
    settings.DISCORD_ENABLED = True
    settings.DISCORD_BOT_TOKEN = TOKEN
    settings.DISCORD_CHANNEL_ID = server.channel_id
    settings.DISCORD_MODERATOR_ROLE_IDS = [MODERATOR_ROLE]
    settings.DISCORD_API_BASE = server.api_base
    settings.DISCORD_GATEWAY_URL = server.gateway_url
    settings.RATE_LIMITING_ENABLED = False
    yield server
    server.stop()
    assert not server.invalid, "\n".join(dict.fromkeys(server.invalid))


@pytest.fixture
def mirror(
    discord_server: Discord, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The notifications worker's mirror, in this process; its first wait is short."""
    from notifications import mirror
    from notifications.mirror import Mirror

    monkeypatch.setattr(mirror, "_SHORTEST_WAIT", 0.05)
    made = Mirror()
    made.start()
    yield made
    if made._thread.is_alive():  # else the test has ended it
        made.stop(seconds=1)


@pytest_asyncio.fixture
async def env() -> AsyncIterator[Any]:
    """A Discord within this process; all that was sent to it is judged at the end."""
    from tests.notifications.simulated import environment, judge

    made = environment()
    await made.start()
    yield made
    await made.shutdown()
    judge(made)


@pytest_asyncio.fixture
async def scene(env: Any, settings: Any, transactional_db: None) -> Any:
    """A conversation whose moderators use commands."""
    from tests.notifications.simulated import staged

    return await staged(env, settings)


@pytest_asyncio.fixture
async def talkative(env: Any, settings: Any, transactional_db: None) -> Any:
    """A conversation to which everything goes that moderators write."""
    from tests.notifications.simulated import staged

    settings.DISCORD_REPLY_MODE = "every_message"
    return await staged(env, settings)


@pytest_asyncio.fixture
async def moderated(
    discord_server: Any, mirror: Any, session: Any, settings: Any
) -> AsyncIterator[Any]:
    """A mirrored conversation, and a bot that has caught up."""
    from chat_app import services as chat
    from notifications.models import DiscordThread
    from tests.notifications.moderated import Moderated, listening

    settings.DISCORD_REPLY_MODE = "every_message"
    found = Moderated(discord_server, session, None)
    await found.off(chat.post_message, session=session, text="Hello")
    mirror.wake()
    thread = await found.off(wait_until, DiscordThread.objects.first)
    found.thread_id, found.card_id = thread.thread_id, thread.message_id
    await found.off(wait_until, all_sent)
    async with listening(found):
        yield found


@pytest.fixture
def session(transactional_db: None) -> Any:
    """A visitor's open session, committed."""
    from tests.support import open_session

    return open_session()


async def beside(act: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Run a synchronous function beside the loop, and leave no connection behind."""
    from asgiref.sync import sync_to_async
    from django.db import connections

    def call() -> Any:
        try:
            return act(*args, **options)
        finally:
            connections.close_all()

    return await sync_to_async(call, thread_sensitive=False)()


def all_sent() -> bool:
    """Whether nothing is owed."""
    from notifications.models import Delivery, DeliveryStatus

    return not Delivery.objects.filter(status=DeliveryStatus.DUE).exists()


def markers(server: Discord, thread_id: str) -> list[str]:
    """The footers of what the thread holds, in its order."""
    return [one["embeds"][0]["footer"]["text"] for one in server.messages[thread_id]]


def corpus(name: str) -> list[dict[str, Any]]:
    """A corpus, empty where the file is not there."""
    import json

    file = discord_spec.PATH.parents[1] / "corpora" / f"{name}.jsonl"
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
