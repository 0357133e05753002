"""The bot in trouble: the database or Redis away, Discord refusing, events that are not for it."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest
from django.db import OperationalError

from notifications import moderation, threads
from notifications.discord_bot import access, inbox, leader
from notifications.models import DiscordThread
from tests.notifications.moderated import DANA, EVE, Moderated, listening
from tests.standins import discord_shapes as shapes
from tests.standins.discord import MODERATOR_ROLE
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def failing(real: Any, *, times: int, error: Exception) -> Any:
    """The function, failing at first."""
    tries: list[int] = []

    def act(*args: Any, **options: Any) -> Any:
        tries.append(1)
        if len(tries) <= times:
            raise error
        return real(*args, **options)

    return act


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a function of a module fail at first, as where the database is away."""
    monkeypatch.setattr(inbox, "_RETRY_SECONDS", (0.01,))

    def make(module: Any, name: str, times: int = 3) -> None:
        error = OperationalError("away")
        monkeypatch.setattr(module, name, failing(getattr(module, name), times=times, error=error))

    return make


async def test_a_command_says_that_nothing_was_done(moderated: Moderated, away: Any) -> None:
    away(moderation, "find_session", times=1)
    answer = await moderated.answered(await moderated.command("reply", text="Hello"))
    assert answer["data"]["content"].startswith("❌ Something went wrong; nothing was done")
    assert await moderated.said() == []
    await moderated.answered(await moderated.command("reply", text="Hello"))
    assert await moderated.said() == ["Hello"]


async def test_what_was_written_waits_for_the_database(moderated: Moderated, away: Any) -> None:
    away(moderation, "once")
    away(threads, "saw")
    await moderated.speaks("Patience")
    await moderated.speaks("Order")
    assert await moderated.said() == ["Patience", "Order"]


async def test_a_thread_is_read_again_where_discord_was_away(
    moderated: Moderated, away: Any
) -> None:
    server = moderated.server
    await moderated.bot.close()
    await moderated.off(server.write, moderated.thread_id, DANA, "Away", roles=[MODERATOR_ROLE])
    server.fault(r"GET /channels/\d+/messages$", cut=True, times=2)
    async with listening(moderated):
        assert await moderated.said() == ["Away"]


async def test_a_thread_that_cannot_be_read_holds_up_no_other(moderated: Moderated) -> None:
    server = moderated.server
    await moderated.bot.close()
    server.fault(r"GET /channels/\d+/messages$", status=403, code=50001, times=1)
    await moderated.off(server.write, moderated.thread_id, DANA, "Away", roles=[MODERATOR_ROLE])
    async with listening(moderated):
        assert await moderated.said() == []
        await moderated.speaks("Now")


async def test_a_mark_that_discord_refuses_changes_nothing(moderated: Moderated) -> None:
    server = moderated.server
    refused = server.fault(r"PUT .*/reactions/", status=403, code=90001, times=1)
    await moderated.off(server.write, moderated.thread_id, DANA, "One", roles=[MODERATOR_ROLE])
    await moderated.speaks("Two")
    assert not refused.times
    assert await moderated.said() == ["One", "Two"]


async def test_a_picture_alone_is_answered_with_the_reason(moderated: Moderated) -> None:
    server, thread = moderated.server, moderated.thread_id
    await moderated.off(server.write, thread, DANA, "", roles=[MODERATOR_ROLE])
    told = await moderated.off(
        wait_until, lambda: [one["content"] for one in server.messages[thread] if one["content"]]
    )
    assert told == ["⚠️ Not sent: only text reaches the visitor."]


async def test_an_interaction_answered_elsewhere_is_left_alone(moderated: Moderated) -> None:
    server = moderated.server
    for status, code in ((404, 10062), (400, 50035)):
        fault = server.fault(r"POST /interactions/", status=status, code=code, times=1)
        await moderated.command("reply", text=f"Code {code}")
        await moderated.off(wait_until, lambda one=fault: not one.times)
    await moderated.speaks("Last")
    assert await moderated.said() == ["Code 10062", "Code 50035", "Last"]


async def test_many_messages_deleted_at_once_are_taken_back(moderated: Moderated) -> None:
    gone = [(await moderated.speaks(f"Word {number}"))["id"] for number in range(2)]
    await moderated.speaks("Stays")
    server = moderated.server
    packet = {"ids": gone, "channel_id": moderated.thread_id, "guild_id": server.guild_id}
    await moderated.off(server.tell, "MESSAGE_DELETE_BULK", packet)
    async with asyncio.timeout(30):
        while await moderated.said() != ["Stays"]:
            await asyncio.sleep(0.02)


async def test_who_is_a_moderator_no_more_corrects_nothing(moderated: Moderated) -> None:
    server = moderated.server
    written = await moderated.speaks("Our price is 9")
    server.members[DANA["id"]]["roles"] = []
    changed = {**written, "content": "Our price is 0", "edited_timestamp": shapes.now()}
    await moderated.off(server.tell, "MESSAGE_UPDATE", {**changed, "guild_id": server.guild_id})
    looked = f"/guilds/{server.guild_id}/members/{DANA['id']}"
    await moderated.off(wait_until, lambda: any(one[2].endswith(looked) for one in server.requests))
    await moderated.speaks("Last", EVE)  # Dana's own words would come with their old role
    assert await moderated.said() == ["Our price is 9", "Last"]


async def test_a_role_counts_that_the_cache_does_not_know(
    moderated: Moderated, settings: Any
) -> None:
    """After an outage of the guild discord.py's cache lacks roles: `Member.roles` omits them."""
    settings.DISCORD_MODERATOR_ROLE_IDS = ["900000000000000077"]
    packet = await moderated.command("reply", EVE, roles=["900000000000000077"], text="Hello")
    await moderated.answered(packet)
    assert await moderated.said() == ["Hello"]


async def test_events_of_elsewhere_are_ignored(moderated: Moderated) -> None:
    server = moderated.server
    elsewhere = server.channel_id
    await moderated.off(server.write, elsewhere, DANA, "In the channel", roles=[MODERATOR_ROLE])
    for kind, custom_id in ((3, "another:button"), (5, "another:form"), (3, "chatsite:nothing")):
        data = {"custom_id": custom_id, "component_type": 2, "components": []}
        await moderated.interact(kind, data, DANA, [MODERATOR_ROLE])
    written = await moderated.off(
        server.write, moderated.thread_id, {**DANA, "bot": True}, "beep", roles=[MODERATOR_ROLE]
    )
    whole = {**written, "guild_id": server.guild_id, "edited_timestamp": shapes.now()}
    await moderated.off(server.tell, "MESSAGE_UPDATE", whole)
    gone = {"id": shapes.snowflake(), "channel_id": elsewhere, "guild_id": server.guild_id}
    await moderated.off(server.tell, "MESSAGE_DELETE", gone)
    await moderated.speaks("Last")
    assert await moderated.said() == ["Last"]


async def test_a_thread_without_a_conversation_is_left_alone(moderated: Moderated) -> None:
    server = moderated.server
    await moderated.off(DiscordThread.objects.all().delete)
    await moderated.off(server.write, moderated.thread_id, DANA, "Hi", roles=[MODERATOR_ROLE])
    answer = await moderated.answered(await moderated.command("transcript"))
    assert answer["type"] == 5
    edits = lambda: [b for i, b in server.callbacks if i.startswith("edit ")]  # noqa: E731
    (edit,) = await moderated.off(wait_until, edits)
    assert edit["content"] == "This is not the thread of a conversation."
    assert await moderated.said() == []


async def test_who_acted_is_named_where_that_is_known() -> None:
    assert access.actor(None) == access.Actor("discord", "", "a moderator")


class _Redis:
    """Redis that is away for the first calls."""

    def __init__(self, *, away: int, held: bool) -> None:
        self.calls, self._away, self._held = 0, away, held

    async def _answer(self) -> bool:
        self.calls += 1
        if self.calls <= self._away:
            raise OSError("away")
        return self._held

    async def set(self, *_: Any, **__: Any) -> bool:
        return await self._answer()

    async def eval(self, *_: Any) -> bool:
        return await self._answer()

    async def aclose(self) -> None:
        """Nothing is open."""


def _lease(monkeypatch: pytest.MonkeyPatch, *, away: int, held: bool) -> tuple[Any, _Redis]:
    monkeypatch.setattr(leader, "_BEAT", 0.01)
    lease, client = leader.Lease(), _Redis(away=away, held=held)
    monkeypatch.setattr(lease, "_client", client)
    return lease, client


async def test_a_bot_waits_to_lead_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    lease, client = _lease(monkeypatch, away=3, held=True)
    async with asyncio.timeout(30):
        await lease.acquire()
    assert client.calls == 4


async def test_a_leader_goes_on_while_redis_is_away_and_gives_way_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease, client = _lease(monkeypatch, away=3, held=False)
    async with asyncio.timeout(30):
        await lease.hold()
    assert client.calls == 5  # three failures; then neither renewed nor taken
    client._away = 99
    await lease.release()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "TimeoutError"),
        (discord.LoginFailure(), "does not accept DISCORD_BOT_TOKEN"),
    ],
)
async def test_the_reason_of_an_end_is_a_sentence(error: Exception, words: str) -> None:
    from notifications.discord_bot.client import reason

    assert words in reason(error)


async def test_a_bot_without_its_channel_says_why(
    discord_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifications.discord_bot import running

    said: list[str] = []
    monkeypatch.setattr(running, "_SHORTEST", 0.01)
    monkeypatch.setattr(running, "_LONGEST", 0.02)
    monkeypatch.setattr(
        running.log, "error", lambda *_, **k: said.append(k["reason"]), raising=False
    )
    fault = discord_server.fault(r"GET /channels/", status=403, code=50001, times=1)
    discord_server.channels[discord_server.channel_id]["type"] = 4
    task = asyncio.create_task(running.run())
    async with asyncio.timeout(30):
        while len(said) < 2:
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not fault.times
    assert said[:2] == ["a permission is missing (scripted)", "InvalidData"]


async def test_a_form_that_discord_does_not_open_is_let_be(moderated: Moderated) -> None:
    fault = moderated.server.fault(r"POST /interactions/", status=404, code=10062, times=1)
    data = {"custom_id": "chatsite:reply", "component_type": 2}
    await moderated.interact(3, data, DANA, [MODERATOR_ROLE])
    await moderated.off(wait_until, lambda: not fault.times)
    await moderated.speaks("Last")


async def test_a_form_without_its_text_says_nothing(moderated: Moderated) -> None:
    data = {"custom_id": "chatsite:reply", "components": [{"type": 1, "components": []}]}
    packet = await moderated.interact(5, data, DANA, [MODERATOR_ROLE])
    answer = await moderated.answered(packet)
    assert answer["data"]["content"] == "❌ There is nothing to say."
    assert await moderated.said() == []


async def test_a_correction_outside_a_conversation_opens_no_form(moderated: Moderated) -> None:
    await moderated.off(DiscordThread.objects.all().delete)
    data = {"custom_id": "chatsite:edit:another", "component_type": 2}
    packet = await moderated.interact(3, data, DANA, [MODERATOR_ROLE])
    answer = await moderated.answered(packet)
    assert answer["data"]["content"] == "This reply cannot be corrected any more."


async def test_one_command_that_fails_does_not_end_the_others(
    moderated: Moderated, away: Any
) -> None:
    away(moderation, "transcript", times=1)
    await moderated.answered(await moderated.command("transcript"))
    await moderated.speaks("Last")
    assert await moderated.said() == ["Last"]
