"""The bot against the stand-in's gateway: what a visitor sees of it, replays, reconnects."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async

from chat_app import services as chat
from chat_app.models import ChatMessage, MessageType
from notifications.models import Delivery, DiscordThread
from tests.notifications.conftest import all_sent, until
from tests.standins import discord_shapes as shapes
from tests.standins.discord import MODERATOR_ROLE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

DANA = shapes.user("1000000000000000001", "dana")
EVE = shapes.user("1000000000000000002", "eve")


class Moderated:
    """A conversation in Discord, with a bot that listens."""

    def __init__(self, server: Any, session: Any, bot: Any) -> None:
        self.server, self.session, self.bot = server, session, bot
        self.thread_id = self.card_id = ""

    async def off(self, act: Any, *args: Any, **options: Any) -> Any:
        """Run a synchronous function beside the loop."""
        return await sync_to_async(act, thread_sensitive=False)(*args, **options)

    async def command(
        self, name: str, who: Any = DANA, *, roles: Any = (MODERATOR_ROLE,), **o: Any
    ):
        """Somebody uses a slash command in the thread; what the gateway said."""
        data = {
            "id": shapes.snowflake(),
            "name": name,
            "type": 1,
            "options": [{"name": k, "type": 3, "value": v} for k, v in o.items()],
        }
        return await self.interact(2, data, who, roles)

    async def interact(self, kind: int, data: Any, who: Any, roles: Any, **more: Any) -> Any:
        """An interaction."""
        thread = self.server.channels[self.thread_id]
        member = {**shapes.member(who, list(roles)), "permissions": "0"}
        packet = {
            "id": shapes.snowflake(),
            "application_id": self.server.me["id"],
            "type": kind,
            "data": data,
            "guild_id": self.server.guild_id,
            "channel_id": self.thread_id,
            "channel": {**thread, "permissions": "0"},
            "member": member,
            "token": f"token{shapes.snowflake()}",
            "version": 1,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "0",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "context": 0,
            "attachment_size_limit": 10485760,
            **more,
        }
        await self.off(self.server.tell, "INTERACTION_CREATE", packet)
        return packet

    async def answered(self, packet: Any) -> Any:
        """The bot's answer to an interaction."""

        def find() -> Any:
            return next((b for i, b in self.server.callbacks if i == packet["id"]), None)

        return await self.off(until, find)

    async def said(self) -> list[str]:
        """What staff said to the visitor."""
        rows = ChatMessage.objects.filter(message_type=MessageType.STAFF, deleted_at=None)
        return await self.off(lambda: list(rows.order_by("seq").values_list("content", flat=True)))


@pytest_asyncio.fixture
async def moderated(
    discord_server: Any, mirror: Any, session: Any, settings: Any
) -> AsyncIterator[Moderated]:
    settings.DISCORD_REPLY_MODE = "every_message"
    found = Moderated(discord_server, session, None)
    await found.off(chat.post_message, session=session, text="Hello")
    mirror.wake()
    thread = await found.off(until, DiscordThread.objects.first)
    found.thread_id, found.card_id = thread.thread_id, thread.message_id
    await found.off(until, all_sent)
    async with listening(found):
        yield found


class listening:  # noqa: N801  (reads as a context)
    """A bot that is connected."""

    def __init__(self, found: Moderated) -> None:
        self._found = found

    async def __aenter__(self) -> None:
        from notifications.discord_bot.client import Bot

        self._bot = self._found.bot = Bot()
        token = "stand-in-token"
        self._task = asyncio.create_task(self._bot.start(token))
        await asyncio.wait(
            {asyncio.create_task(self._ready()), self._task},
            timeout=10,
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert not self._task.done(), self._task.exception()

    async def _ready(self) -> None:
        while not self._bot.is_ready():
            await asyncio.sleep(0.01)
        while self._bot._catching_up is None:
            await asyncio.sleep(0.01)
        await self._bot._catching_up

    async def __aexit__(self, *_: object) -> None:
        await self._bot.close()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_a_reply_is_in_the_visitors_stream_within_half_a_second(
    moderated: Moderated, web: Any, settings: Any
) -> None:
    caller = web.with_session(moderated.session)
    response = await caller.get("/chat/events", accept="text/event-stream")
    chunks = aiter(response.streaming_content)

    async def words() -> dict[str, Any]:
        while True:
            chunk = (await anext(chunks)).decode()
            if "event: message\n" in chunk:
                found: dict[str, Any] = json.loads(chunk.partition("data: ")[2])
                return found

    assert (await words())["text"] == "Hello"
    waits = []
    for number in range(5):
        began = time.perf_counter()
        packet = await moderated.command("reply", text=f"Staff word {number}")
        async with asyncio.timeout(5):
            told = await words()
        waits.append(time.perf_counter() - began)
        assert (told["text"], told["message_type"]) == (f"Staff word {number}", "staff")
        await moderated.answered(packet)
    print(f"reply to stream: {[round(wait * 1000) for wait in waits]} ms")
    assert max(waits) < 0.5
    await chunks.aclose()


async def test_a_replayed_event_takes_effect_once(moderated: Moderated) -> None:
    packet = await moderated.command("reply", text="Once")
    await moderated.answered(packet)
    written = await moderated.off(
        moderated.server.write, moderated.thread_id, DANA, "Also once", roles=[MODERATOR_ROLE]
    )
    await moderated.off(until, lambda: (written["id"], "✅") in moderated.server.reactions)
    for _ in range(3):
        await moderated.off(moderated.server.tell, "INTERACTION_CREATE", packet)
        data = {**written, "guild_id": moderated.server.guild_id}
        data["member"] = {
            k: v for k, v in shapes.member(DANA, [MODERATOR_ROLE]).items() if k != "user"
        }
        await moderated.off(moderated.server.tell, "MESSAGE_CREATE", data)
    await asyncio.sleep(0.5)
    assert await moderated.said() == ["Once", "Also once"]


async def test_nobody_else_can_speak(moderated: Moderated) -> None:
    server, thread = moderated.server, moderated.thread_id
    packet = await moderated.command("reply", EVE, roles=(), text="I am staff")
    answer = await moderated.answered(packet)
    assert answer["data"]["content"] == "Only moderators may do this."
    await moderated.off(server.write, thread, EVE, "Me too", roles=[])
    await moderated.off(server.write, thread, {**DANA, "bot": True}, "bot", roles=[MODERATOR_ROLE])
    await moderated.off(
        server.write, thread, DANA, "hook", roles=[MODERATOR_ROLE], webhook_id=shapes.snowflake()
    )
    elsewhere = await moderated.interact(
        2,
        {"id": "1", "name": "takeover", "type": 1},
        DANA,
        [MODERATOR_ROLE],
        guild_id=shapes.snowflake(),
    )
    await moderated.off(
        until, lambda: any(i == elsewhere["id"] for i, _ in server.callbacks) or True
    )
    await asyncio.sleep(0.5)
    assert await moderated.said() == []


async def test_what_was_written_while_away_arrives_once(moderated: Moderated) -> None:
    server, thread = moderated.server, moderated.thread_id
    await moderated.bot.close()
    for number in range(3):
        await moderated.off(server.write, thread, DANA, f"Away {number}", roles=[MODERATOR_ROLE])
        await moderated.off(server.write, thread, EVE, "Not staff", roles=[])
    for _ in range(2):
        async with listening(moderated):
            await asyncio.sleep(0.2)
    assert await moderated.said() == ["Away 0", "Away 1", "Away 2"]


async def test_resumes_after_a_dropped_connection(moderated: Moderated) -> None:
    server = moderated.server
    await moderated.off(server.call, server.gateway.drop())
    await moderated.off(server.write, moderated.thread_id, DANA, "During", roles=[MODERATOR_ROLE])
    await moderated.off(until, lambda: server.gateway.resumed)
    async with asyncio.timeout(10):
        while await moderated.said() != ["During"]:
            await asyncio.sleep(0.05)


async def test_edits_and_deletions_reach_the_visitor(moderated: Moderated) -> None:
    server, thread = moderated.server, moderated.thread_id
    written = await moderated.off(server.write, thread, DANA, "Helo", roles=[MODERATOR_ROLE])
    await moderated.off(until, lambda: (written["id"], "✅") in server.reactions)
    written.update(content="Hello", edited_timestamp=shapes.now())
    whole = {**written, "guild_id": server.guild_id}
    await moderated.off(server.tell, "MESSAGE_UPDATE", whole)
    async with asyncio.timeout(5):
        while await moderated.said() != ["Hello"]:
            await asyncio.sleep(0.02)
    gone = {"id": written["id"], "channel_id": thread, "guild_id": server.guild_id}
    await moderated.off(server.tell, "MESSAGE_DELETE", gone)
    async with asyncio.timeout(5):
        while await moderated.said():
            await asyncio.sleep(0.02)


async def test_deleting_the_embed_of_a_reply_takes_it_back(
    moderated: Moderated, mirror: Any
) -> None:
    packet = await moderated.command("reply", text="Oops")
    await moderated.answered(packet)
    mirror.wake()
    await moderated.off(until, all_sent)
    sent = await moderated.off(lambda: Delivery.objects.filter(event__kind="message").last())
    gone = {
        "id": sent.discord_message_id,
        "channel_id": moderated.thread_id,
        "guild_id": moderated.server.guild_id,
    }
    await moderated.off(moderated.server.tell, "MESSAGE_DELETE", gone)
    async with asyncio.timeout(5):
        while await moderated.said():
            await asyncio.sleep(0.02)


async def test_a_slow_database_defers_the_answer(
    moderated: Moderated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifications import moderation

    real = moderation.find_session

    def slow(**options: Any) -> Any:
        time.sleep(2)
        return real(**options)

    monkeypatch.setattr(moderation, "find_session", slow)
    packet = await moderated.command("takeover")
    answer = await moderated.answered(packet)
    assert answer["type"] == 5
    edits = lambda: [b for i, b in moderated.server.callbacks if i.startswith("edit ")]  # noqa: E731
    (edit,) = await moderated.off(until, edits)
    assert "yours" in edit["content"]


async def test_one_malformed_event_does_not_end_the_process(
    moderated: Moderated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifications.discord_bot import running

    await moderated.bot.close()
    monkeypatch.setattr(running, "_SHORTEST", 0.05)
    monkeypatch.setattr(running, "_LONGEST", 0.1)
    server = moderated.server
    before = len(server.gateway.identified)
    task = asyncio.create_task(running.run())
    await moderated.off(until, lambda: len(server.gateway.identified) > before)
    await asyncio.sleep(0.1)
    await moderated.off(server.tell, "GUILD_ROLE_CREATE", {"guild_id": server.guild_id})
    await moderated.off(server.tell, "MESSAGE_CREATE", {"nonsense": True})
    await moderated.off(until, lambda: len(server.gateway.identified) >= before + 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
