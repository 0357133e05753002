"""The unchanged product in its own processes, with Discord's stand-in beside it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.standins import discord_shapes as shapes
from tests.standins.discord import MODERATOR_ROLE, TOKEN, Discord
from tests.system.processes import Stack
from tests.system.visitors import Visitor, entrance
from tests.waiting import wait_until

pytestmark = pytest.mark.asyncio

DANA = shapes.user("1000000000000000001", "dana")


@pytest.fixture(scope="module")
def server() -> Iterator[Discord]:
    made = Discord().start()
    yield made
    made.stop()
    assert not made.invalid, "\n".join(dict.fromkeys(made.invalid))


@pytest.fixture(scope="module")
def stack(server: Discord, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("discord")
    made = Stack(
        folder,
        database_url=f"sqlite:///{folder}/chatsite.sqlite3",
        MESSAGE_LIMIT="1000",
        DISCORD_LEASE_SECONDS="4",  # what a killed worker held is waited for
        DISCORD_ENABLED="on",
        DISCORD_BOT_TOKEN=TOKEN,
        DISCORD_CHANNEL_ID=server.channel_id,
        DISCORD_MODERATOR_ROLE_IDS=MODERATOR_ROLE,
        DISCORD_REPLY_MODE="every_message",
        DISCORD_API_BASE=server.api_base,
        DISCORD_GATEWAY_URL=server.gateway_url,
    )
    for name in ("bot", "second bot"):
        made.add(name, [sys.executable, "manage.py", "discord_bot"])
    try:
        made.start()
        wait_until(lambda: server.gateway._sockets, "a bot is connected")
        yield made
    finally:
        made.close()


async def _thread(server: Discord, session_id: str) -> str:
    async with asyncio.timeout(20):
        while True:
            for thread_id, one in server.threads.items():
                if one["name"] == f"Session {session_id[:8]}":
                    return thread_id
            await asyncio.sleep(0.05)


async def _session_id(visitor: Visitor) -> str:
    _, found = await visitor._call("GET", "/auth/session")
    return str(found["session_id"])


async def test_a_conversation_goes_to_discord_and_back(server: Discord, stack: Stack) -> None:
    async with entrance(stack.url) as door:
        visitor = await door.visitor()
        await visitor.ask("Hello there")
        thread_id = await _thread(server, await _session_id(visitor))
        waits = []
        async with visitor.follow() as stream:
            for number in range(10):
                began = time.perf_counter()
                text = f"Staff word {number}"
                await asyncio.to_thread(server.write, thread_id, DANA, text, roles=[MODERATOR_ROLE])
                await stream.until(
                    lambda s, t=text: any(e.data.get("text") == t for e in s.named("message"))
                )
                waits.append(time.perf_counter() - began)
        print(f"from Discord's event to the visitor: {[round(w * 1000) for w in waits]} ms")
        assert len(server.gateway._sockets) == 1, "one bot leads"


async def test_a_second_bot_takes_over(server: Discord, stack: Stack) -> None:
    before = len(server.gateway.identified)
    first = stack["bot"] if "this bot leads" in stack["bot"].tail() else stack["second bot"]
    first.stop()
    wait_until(lambda: len(server.gateway.identified) > before, "the other bot leads", 30)
    async with entrance(stack.url) as door:
        visitor = await door.visitor()
        await visitor.ask("Hello again")
        thread_id = await _thread(server, await _session_id(visitor))
        async with visitor.follow() as stream:
            await asyncio.to_thread(
                server.write, thread_id, DANA, "From the other", roles=[MODERATOR_ROLE]
            )
            await stream.until(lambda s: "From the other" in str(s.named("message")))
    stack["bot"].start()
    stack["second bot"].start()


async def test_a_killed_worker_leaves_nothing_out(server: Discord, stack: Stack) -> None:
    async with entrance(stack.url) as door:
        visitor = await door.visitor()
        for number in range(6):
            await visitor.ask(f"Killed {number}")
            if number in {1, 3}:
                stack["notifications"].kill()
                stack["notifications"].start()
        thread_id = await _thread(server, await _session_id(visitor))

        def texts() -> list[str]:
            return [one["embeds"][0]["description"] for one in server.messages[thread_id]]

        wait_until(lambda: len(texts()) >= 12, "all is mirrored", 60)
        await visitor.ask("Killed no more")  # a double of what came before would stand before it
        wait_until(lambda: len(texts()) >= 14, "the last word is mirrored", 60)
        asked = [text for text in texts() if text.startswith("Killed")]
        assert asked == [*(f"Killed {number}" for number in range(6)), "Killed no more"]
        assert len(texts()) == 14


async def test_a_bad_token_is_said_in_health_and_chat_works(server: Discord, stack: Stack) -> None:
    health = httpx.get(f"{stack.url}/health").json()["discord"]
    assert (health["status"], health["bot"]) == ("running", "alive")
    stack["notifications"].stop()
    bad = {**stack.environment(), "DISCORD_BOT_TOKEN": "wrong"}
    stack.add("bad", stack["notifications"].command, bad)
    stack["bad"].start()
    async with entrance(stack.url) as door:
        visitor = await door.visitor()
        status, _ = await visitor.ask("Does it work?")
        assert status == 200

    def is_said() -> bool:
        found = httpx.get(f"{stack.url}/health").json()["discord"]
        return found["status"] == "paused" and "DISCORD_BOT_TOKEN" in found["detail"]

    wait_until(is_said, "the bad token is in /health", 30)
    assert stack["bad"].tail(500).count("discord mirror is paused") == 1
    stack["bad"].stop()
    stack["notifications"].start()
