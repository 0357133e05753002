"""Settings half set, a bad token, a missing permission: said plainly, and chat goes on."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chat_app import staff
from notifications import checks, configuration, pause, pulse
from tests.standins import discord_shapes as shapes
from tests.standins.discord import Discord

pytestmark = pytest.mark.django_db(transaction=True)


def _check() -> tuple[str, str]:
    out = io.StringIO()
    try:
        call_command("discord_check", stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_all_is_well(discord_server: Discord) -> None:
    said, error = _check()
    assert error == ""
    assert said.splitlines() == [
        "ok     token: the bot is chatsite",
        "ok     channel: #support in Guild",
        "ok     permissions: all 9",
        "ok     roles: Moderators",
        "ok     intents: none that need permission",
        "Discord is set up.",
    ]


def test_names_what_is_not_set(discord_server: Discord, settings: Any) -> None:
    settings.DISCORD_BOT_TOKEN = ""
    settings.DISCORD_CHANNEL_ID = "#support"
    settings.DISCORD_MODERATOR_ROLE_IDS = ["Mods"]
    settings.DISCORD_API_BASE = "http://evil.example"
    said, error = _check()
    for name in ("DISCORD_BOT_TOKEN", "DISCORD_CHANNEL_ID", "MODERATOR_ROLE_IDS", "API_BASE"):
        assert name in said
    assert error.startswith("4 to repair")
    assert [one.id for one in checks.check_discord()] == ["chatsite.W020"] * 4
    assert pulse.mirror()["status"] == "misconfigured"
    with pytest.raises(CommandError, match="DISCORD_BOT_TOKEN"):
        call_command("discord_bot")


def test_names_a_channel_that_is_not_set(discord_server: Discord, settings: Any) -> None:
    settings.DISCORD_CHANNEL_ID = ""
    assert configuration.faults() == ["DISCORD_CHANNEL_ID is not set."]


def test_says_that_it_is_off(settings: Any) -> None:
    settings.DISCORD_ENABLED = False
    assert _check()[1].startswith("DISCORD_ENABLED is off")
    assert pulse.mirror() == {"status": "off"}
    assert checks.check_discord() == []
    with pytest.raises(CommandError, match="off"):
        call_command("discord_bot")


def test_names_a_bad_token(discord_server: Discord, settings: Any) -> None:
    settings.DISCORD_BOT_TOKEN = "wrong"
    assert "does not accept DISCORD_BOT_TOKEN" in _check()[0]


def test_names_a_channel_that_is_not_there(discord_server: Discord, settings: Any) -> None:
    settings.DISCORD_CHANNEL_ID = shapes.snowflake()
    assert "no channel that the bot can see" in _check()[0]


def test_names_a_channel_of_another_kind(discord_server: Discord) -> None:
    discord_server.channels[discord_server.channel_id]["type"] = 4
    assert "no text channel" in _check()[0]


def test_names_missing_permissions_and_roles(discord_server: Discord, settings: Any) -> None:
    discord_server.roles[2]["permissions"] = str(0x400 | 0x800)
    settings.DISCORD_MODERATOR_ROLE_IDS = ["123456789012345678"]
    said, _ = _check()
    assert "permission missing in #support: Create Public Threads." in said
    assert "Guild has no role 123456789012345678." in said


def test_names_the_missing_intent(discord_server: Discord, settings: Any) -> None:
    settings.DISCORD_REPLY_MODE = "every_message"
    assert "ok     intents: Message Content is on" in _check()[0]
    discord_server.flags = 0
    assert "needs the Message Content intent" in _check()[0]


def test_health_says_how_discord_is(discord_server: Discord, client: Any, settings: Any) -> None:
    body = client.get("/health").json()["discord"]
    assert (body["status"], body["bot"]) == ("running", "missing")
    pause.pause(seconds=60, reason="Discord refuses the bot: 403")
    body = client.get("/health").json()["discord"]
    assert (body["status"], body["detail"]) == ("paused", "Discord refuses the bot: 403")
    pause.try_now()
    assert pause.look() == ("Discord refuses the bot: 403", False)
    assert pause.resume()
    assert not pause.resume()


def test_a_half_set_worker_starts_and_mirrors_nothing(settings: Any, monkeypatch: Any) -> None:
    from notifications import mirror, tasks

    said = []
    settings.DISCORD_ENABLED = True
    settings.DISCORD_BOT_TOKEN = ""
    monkeypatch.setattr(tasks.log, "error", lambda *a, **k: said.append(k), raising=False)
    tasks.begin()
    tasks.deliver()
    tasks.end()
    assert mirror.current() is None
    assert any("DISCORD_BOT_TOKEN" in one["fault"] for one in said)


@pytest.mark.asyncio
async def test_one_bot_leads_and_another_waits(redis: Any, monkeypatch: Any) -> None:
    from notifications.discord_bot import leader

    monkeypatch.setattr(leader, "_BEAT", 0.05)
    first, second = leader.Lease(), leader.Lease()
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    holding = asyncio.create_task(first.hold())
    redis.flushdb()  # Redis has lost its memory: whoever is first has the place
    await asyncio.wait({waiting, holding}, return_when=asyncio.FIRST_COMPLETED, timeout=5)
    if waiting.done():
        await asyncio.wait_for(holding, 5)
        await second.release()
    else:
        holding.cancel()
        await first.release()
        await asyncio.wait_for(waiting, 5)
        await second.release()
        return
    await first.release()


@pytest.mark.asyncio
async def test_a_missing_intent_is_said_and_tried_again(
    discord_server: Discord, settings: Any, monkeypatch: Any
) -> None:
    from notifications.discord_bot import running

    said: list[str] = []
    monkeypatch.setattr(running, "_SHORTEST", 0.05)
    monkeypatch.setattr(running, "_LONGEST", 0.1)
    monkeypatch.setattr(
        running.log, "error", lambda *a, **k: said.append(k["reason"]), raising=False
    )
    settings.DISCORD_REPLY_MODE = "every_message"
    discord_server.flags = 0
    task = asyncio.create_task(running.run())
    async with asyncio.timeout(30):
        while not said:
            await asyncio.sleep(0.05)
        assert "Message Content intent" in said[0]
        discord_server.flags = 1 << 19
        while not discord_server.gateway._sockets:
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("change", "words"), [("token", "DISCORD_BOT_TOKEN"), ("channel", "names no channel")]
)
async def test_a_bot_that_cannot_connect_says_why(
    discord_server: Discord, settings: Any, monkeypatch: Any, change: str, words: str
) -> None:
    from notifications.discord_bot import running

    said: list[str] = []
    monkeypatch.setattr(
        running.log, "error", lambda *a, **k: said.append(k["reason"]), raising=False
    )
    if change == "token":
        settings.DISCORD_BOT_TOKEN = "wrong"
    else:
        settings.DISCORD_CHANNEL_ID = shapes.snowflake()
    task = asyncio.create_task(running.run())
    async with asyncio.timeout(30):
        while not said:
            await asyncio.sleep(0.05)
    assert words in said[0]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_worker_with_discord_set_up_mirrors_until_it_ends(
    discord_server: Discord, session: Any, monkeypatch: Any
) -> None:
    from notifications import mirror, tasks
    from sessions_app.audit import Actor
    from tests.notifications.conftest import all_sent
    from tests.waiting import wait_until

    monkeypatch.setattr(mirror, "_mirror", None)
    pause.pause(seconds=60, reason="Discord does not accept DISCORD_BOT_TOKEN (401)")
    tasks.begin()
    staff.post_message(session_id=session.pk, text="Hello", actor=Actor("admin", "1", "Kim"))
    tasks.deliver()
    wait_until(all_sent)
    tasks.end()
    assert "Hello" in str(discord_server.messages)
    assert pause.current() == ("", None)


def test_the_command_runs_the_bot(discord_server: Discord, monkeypatch: Any) -> None:
    from notifications.discord_bot import running

    runs: list[int] = []

    async def run() -> None:
        runs.append(1)

    monkeypatch.setattr(running, "run", run)
    call_command("discord_bot")
    assert runs == [1]


@pytest.mark.asyncio
async def test_a_bot_that_fails_in_an_unknown_way_is_begun_again(
    discord_server: Discord, redis: Any, monkeypatch: Any
) -> None:
    import os
    import signal

    from notifications.discord_bot import running

    monkeypatch.setattr(running, "_SHORTEST", 0.01)
    monkeypatch.setattr(running, "_LONGEST", 0.02)
    begun: list[int] = []

    class Failing:
        async def __aenter__(self) -> None:
            begun.append(1)

        async def __aexit__(self, *_: object) -> None:
            """Nothing is open."""

        async def start(self, token: str) -> None:
            if len(begun) == 3:
                os.kill(os.getpid(), signal.SIGTERM)
            raise ValueError("unknown")

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        async with asyncio.timeout(30):
            await running.run(Failing)  # type: ignore[arg-type]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(begun) >= 3
    assert not redis.exists(pulse.LEADER), "the next one leads at once"
