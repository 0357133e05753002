"""The bot against the stand-in's gateway: what a visitor sees of it, replays, reconnects."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest

from chat_app import staff
from chat_app.models import ChatMessage
from notifications import moderation
from notifications.models import Delivery
from sessions_app.audit import Actor
from tests.notifications.conftest import all_sent
from tests.notifications.moderated import DANA, EVE, Moderated, listening
from tests.standins import discord_shapes as shapes
from tests.standins.discord import MODERATOR_ROLE
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def test_a_reply_is_in_the_visitors_open_stream(
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
        async with asyncio.timeout(30):
            told = await words()
        waits.append(time.perf_counter() - began)
        assert (told["text"], told["message_type"]) == (f"Staff word {number}", "staff")
        await moderated.answered(packet)
    print(f"reply to stream: {[round(wait * 1000) for wait in waits]} ms")
    await chunks.aclose()


async def test_a_replayed_event_takes_effect_once(moderated: Moderated) -> None:
    packet = await moderated.command("reply", text="Once")
    await moderated.answered(packet)
    written = await moderated.speaks("Also once")
    for _ in range(3):
        await moderated.off(moderated.server.tell, "INTERACTION_CREATE", packet)
        data = {**written, "guild_id": moderated.server.guild_id}
        data["member"] = {
            k: v for k, v in shapes.member(DANA, [MODERATOR_ROLE]).items() if k != "user"
        }
        await moderated.off(moderated.server.tell, "MESSAGE_CREATE", data)
    await moderated.speaks("Last")
    assert await moderated.said() == ["Once", "Also once", "Last"]


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
    answer = await moderated.answered(elsewhere)
    assert answer["data"]["content"] == "Only moderators may do this."
    await moderated.speaks("Last")
    assert await moderated.said() == ["Last"]


async def test_what_was_written_while_away_arrives_once(moderated: Moderated) -> None:
    server, thread = moderated.server, moderated.thread_id
    await moderated.bot.close()
    for number in range(3):
        await moderated.off(server.write, thread, DANA, f"Away {number}", roles=[MODERATOR_ROLE])
        await moderated.off(server.write, thread, EVE, "Not staff", roles=[])
    for _ in range(2):
        async with listening(moderated):
            pass
    assert await moderated.said() == ["Away 0", "Away 1", "Away 2"]


async def test_resumes_after_a_dropped_connection(moderated: Moderated) -> None:
    server = moderated.server
    await moderated.off(server.call, server.gateway.drop())
    await moderated.off(server.write, moderated.thread_id, DANA, "During", roles=[MODERATOR_ROLE])
    await moderated.off(wait_until, lambda: server.gateway.resumed)
    async with asyncio.timeout(30):
        while await moderated.said() != ["During"]:
            await asyncio.sleep(0.05)


async def test_edits_and_deletions_reach_the_visitor(moderated: Moderated) -> None:
    server, thread = moderated.server, moderated.thread_id
    written = await moderated.speaks("Helo")
    written.update(content="Hello", edited_timestamp=shapes.now())
    whole = {**written, "guild_id": server.guild_id}
    await moderated.off(server.tell, "MESSAGE_UPDATE", whole)
    async with asyncio.timeout(30):
        while await moderated.said() != ["Hello"]:
            await asyncio.sleep(0.02)
    gone = {"id": written["id"], "channel_id": thread, "guild_id": server.guild_id}
    await moderated.off(server.tell, "MESSAGE_DELETE", gone)
    async with asyncio.timeout(30):
        while await moderated.said():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("text", "part", "parts"), [("Oops", 0, 1), ("*" * 3000, 1, 2)])
async def test_deleting_a_part_of_a_mirrored_reply_takes_it_back(
    moderated: Moderated, mirror: Any, text: str, part: int, parts: int
) -> None:
    sent = await _replied(moderated, mirror, text)
    assert len(sent) == parts
    await _delete(moderated, sent[part])
    async with asyncio.timeout(30):
        while await moderated.said():
            await asyncio.sleep(0.02)


async def test_deleting_what_a_shorter_text_left_over_takes_nothing_back(
    moderated: Moderated, mirror: Any
) -> None:
    _, rest = await _replied(moderated, mirror, "*" * 3000)  # defused twice as long
    said = await moderated.off(ChatMessage.objects.get, message_type="staff")
    kim, session_id = Actor("admin", "1", "Kim"), moderated.session.pk
    await moderated.off(
        staff.edit_message, session_id=session_id, message_id=said.pk, text="Shorter", actor=kim
    )
    await _all_is_sent(moderated, mirror)
    thread = int(moderated.thread_id)
    shown = await moderated.off(moderation.mirrored, channel_id=thread, discord_id=int(rest))
    assert shown is None


async def _replied(moderated: Moderated, mirror: Any, text: str) -> list[str]:
    """The messages in Discord that show the reply, which was made elsewhere."""
    kim = Actor("admin", "1", "Kim")
    await moderated.off(staff.post_message, session_id=moderated.session.pk, text=text, actor=kim)
    await _all_is_sent(moderated, mirror)
    sent = await moderated.off(lambda: Delivery.objects.filter(event__kind="message").last())
    return sent.message_ids


async def _all_is_sent(moderated: Moderated, mirror: Any) -> None:
    mirror.wake()
    await moderated.off(wait_until, all_sent)


async def _delete(moderated: Moderated, message_id: str) -> None:
    """Somebody deletes a message of the thread."""
    gone = {
        "id": message_id,
        "channel_id": moderated.thread_id,
        "guild_id": moderated.server.guild_id,
    }
    await moderated.off(moderated.server.tell, "MESSAGE_DELETE", gone)


async def test_a_slow_database_defers_the_answer(
    moderated: Moderated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifications.discord_bot import answering

    real, is_deferred = moderation.find_session, threading.Event()

    def slow(**options: Any) -> Any:
        assert is_deferred.wait(10)
        return real(**options)

    monkeypatch.setattr(answering, "_SOON", 0.05)
    monkeypatch.setattr(moderation, "find_session", slow)
    packet = await moderated.command("takeover")
    answer = await moderated.answered(packet)
    assert answer["type"] == 5
    is_deferred.set()
    edits = lambda: [b for i, b in moderated.server.callbacks if i.startswith("edit ")]  # noqa: E731
    (edit,) = await moderated.off(wait_until, edits)
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
    await moderated.off(wait_until, lambda: len(server.gateway.identified) > before)
    await moderated.off(wait_until, lambda: server.gateway._sockets)
    await moderated.off(server.tell, "GUILD_ROLE_CREATE", {"guild_id": server.guild_id})
    await moderated.off(server.tell, "MESSAGE_CREATE", {"nonsense": True})
    await moderated.off(wait_until, lambda: len(server.gateway.identified) >= before + 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_moderator_who_writes_is_shown_to_the_visitor(
    moderated: Moderated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chat_app import writing

    told: list[Any] = []
    writing._told.clear()
    monkeypatch.setattr(writing.live, "tell_typing", told.append)
    server = moderated.server
    for person, roles in ((EVE, []), (DANA, [MODERATOR_ROLE]), (DANA, [MODERATOR_ROLE])):
        packet = {
            "channel_id": moderated.thread_id,
            "guild_id": server.guild_id,
            "user_id": person["id"],
            "timestamp": 1_700_000_000,
            "member": shapes.member(person, roles),
        }
        await moderated.off(server.tell, "TYPING_START", packet)
    await moderated.speaks("Last")
    assert [(one.session, one.who) for one in told] == [(moderated.session.pk, "staff")]


async def test_only_what_is_meant_for_the_visitor_counts_as_writing(settings: Any) -> None:
    from notifications.discord_bot.client import intents

    settings.DISCORD_REPLY_MODE = "every_message"
    assert intents().guild_typing
    settings.DISCORD_REPLY_MODE = "commands"
    assert not intents().guild_typing
