"""What tests of Discord use: the stand-in, a mirror of this process, a conversation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.standins import discord_spec
from tests.standins.discord import MODERATOR_ROLE, TOKEN, Discord


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
def mirror(discord_server: Discord, transactional_db: None) -> Iterator[Any]:
    """The notifications worker's mirror, in this process."""
    from notifications.mirror import Mirror

    made = Mirror()
    made.start()
    yield made
    made.stop(seconds=1)


@pytest.fixture
def session(transactional_db: None) -> Any:
    """A visitor's open session, committed."""
    from tests.support import open_session

    return open_session()


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait until `condition` gives something, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


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
