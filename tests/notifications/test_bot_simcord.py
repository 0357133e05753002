"""What moderators do, in a simulated Discord (simcord): commands, buttons, forms, messages."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from chat_app import services as chat
from chat_app.models import ChatMessage, Snippet
from notifications.models import DiscordThread, Receipt
from sessions_app.models import AuditEntry, Block, ChatSession, Responder
from tests.notifications.simulated import Scene
from tests.support import open_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def test_reply_reaches_the_visitor_and_takes_over(scene: Scene) -> None:
    result = await scene.dana.slash(scene.thread, "reply", text="Hello from Dana")
    assert result.ephemeral
    assert result.response.content == "✅ Sent to the visitor."
    assert await scene.said() == ["Hello from Dana"]
    assert await scene.responder() == Responder.HUMAN
    row = await scene.db(lambda: ChatMessage.objects.get(content="Hello from Dana"))
    assert row.author == "Support team"
    acts = await scene.db(lambda: list(AuditEntry.objects.values_list("act", "actor_name")))
    assert acts == [("take_over", "dana"), ("reply", "dana")]


async def test_a_stranger_does_nothing(scene: Scene) -> None:
    result = await scene.eve.slash(scene.thread, "reply", text="I am staff")
    assert result.response.content == "Only moderators may do this."
    result = await scene.eve.click(scene.card, label="Take over")
    assert result.response.content == "Only moderators may do this."
    assert await scene.said() == []
    assert await scene.responder() == Responder.AI


async def test_whoever_may_manage_the_channel_may_act(scene: Scene) -> None:
    role = scene.guild.create_role("Boss", permissions=discord.Permissions(manage_channels=True))
    boss = scene.guild.add_member(scene.env.create_user("boss"), roles=[role])
    await boss.slash(scene.thread, "reply", text="Hi")
    assert await scene.said() == ["Hi"]


async def test_names_the_moderator_only_where_that_is_wanted(scene: Scene, settings: Any) -> None:
    settings.DISCORD_SHOW_MODERATOR_NAME = True
    await scene.dana.slash(scene.thread, "reply", text="Hi")
    row = await scene.db(lambda: ChatMessage.objects.get(content="Hi"))
    assert row.author == "dana"


async def test_plain_text_stays_internal(scene: Scene) -> None:
    await scene.dana.send(scene.thread, "what a strange visitor")
    assert await scene.said() == []
    assert not await scene.db(lambda: Receipt.objects.exists())
    seen = await scene.db(lambda: DiscordThread.objects.get().last_seen_id)
    assert seen


async def test_take_over_and_hand_back(scene: Scene) -> None:
    result = await scene.dana.click(scene.card, label="Take over")
    assert "yours" in result.response.content
    assert await scene.responder() == Responder.HUMAN
    posted = await scene.db(lambda: chat.post_message(session=scene.session, text="Anyone?"))
    assert posted.answer is None
    await scene.dana.slash(scene.thread, "handback")
    assert await scene.responder() == Responder.AI
    result = await scene.dana.slash(scene.thread, "takeover")
    assert "yours" in result.response.content


async def test_the_reply_button_opens_a_form(scene: Scene, monkeypatch: Any) -> None:
    from chat_app import writing

    told: list[Any] = []
    writing._told.clear()
    monkeypatch.setattr(writing.live, "tell_typing", told.append)
    shown = await scene.dana.click(scene.card, label="Reply")
    assert shown.modal
    assert [(one.session, one.who) for one in told] == [(scene.session.pk, "staff")]
    result = await scene.dana.submit_modal(shown, {"text": "From the form"})
    assert result.response.content == "✅ Sent to the visitor."
    assert await scene.said() == ["From the form"]


async def test_closes_with_a_word_and_opens_again(scene: Scene) -> None:
    await scene.dana.slash(scene.thread, "close", text="Goodbye")
    row = await scene.db(lambda: ChatSession.objects.get(pk=scene.session.pk))
    assert not row.is_active
    assert row.closed_by == "staff:dana"
    assert await scene.said() == ["Goodbye"]
    result = await scene.dana.slash(scene.thread, "reply", text="too late")
    assert "closed" in result.response.content
    await scene.dana.slash(scene.thread, "reopen")
    row = await scene.db(lambda: ChatSession.objects.get(pk=scene.session.pk))
    assert row.is_active
    assert row.responder == Responder.AI


async def test_the_close_button_asks_first(scene: Scene) -> None:
    shown = await scene.dana.click(scene.card, label="Close")
    result = await scene.dana.submit_modal(shown, {"text": ""})
    assert result.response.content.startswith("🔒")
    row = await scene.db(lambda: ChatSession.objects.get(pk=scene.session.pk))
    assert not row.is_active


async def test_blocks_and_unblocks(scene: Scene) -> None:
    from sessions_app.blocks import Blocked

    result = await scene.dana.slash(scene.thread, "block", duration="soon", reason="spam")
    assert "30m" in result.response.content
    result = await scene.dana.slash(scene.thread, "block", duration="7d", reason="spam")
    assert result.response.content.startswith("⛔")
    row = await scene.db(lambda: ChatSession.objects.get(pk=scene.session.pk))
    assert (row.is_active, row.closed_by) == (False, "block")
    with pytest.raises(Blocked):
        await scene.db(open_session)
    assert (await scene.db(lambda: Block.objects.get())).reason == "spam"
    result = await scene.dana.slash(scene.thread, "reopen")
    assert result.response.content.startswith("❌")
    await scene.dana.slash(scene.thread, "unblock")
    assert await scene.db(open_session)


async def test_keeps_sends_and_forgets_snippets(scene: Scene) -> None:
    add = await scene.dana.slash(scene.thread, "snippet add", name="Hours", text="9 to 5")
    assert add.response.content == "✅ Kept."
    assert await scene.dana.autocomplete(scene.thread, "snippet send", "name", "ho")
    await scene.dana.slash(scene.thread, "snippet send", name="hours")
    assert await scene.said() == ["9 to 5"]
    listed = await scene.dana.slash(scene.thread, "snippet list")
    assert "**hours** 9 to 5" in listed.response.content
    await scene.dana.slash(scene.thread, "snippet remove", name="hours")
    assert not await scene.db(lambda: Snippet.objects.exists())


async def test_reveals_to_one_moderator_and_records_it(scene: Scene) -> None:
    result = await scene.dana.click(scene.card, label="Reveal")
    assert result.ephemeral
    assert "ann@example.com" in result.response.content
    assert "127.0.0.1" in result.response.content
    assert await scene.db(lambda: AuditEntry.objects.get().act) == "reveal"


async def test_posts_a_transcript(scene: Scene) -> None:
    await scene.db(lambda: chat.post_message(session=scene.session, text="My question"))
    result = await scene.dana.slash(scene.thread, "transcript")
    message = result.followups[0] if result.followups else result.response
    assert message.attachments
    assert not result.ephemeral


async def test_a_command_elsewhere_says_so(scene: Scene) -> None:
    result = await scene.dana.slash(scene.channel, "takeover")
    assert result.response.content == "This is not the thread of a conversation."


async def test_every_message_is_a_reply_where_that_is_the_mode(talkative: Scene) -> None:
    scene = talkative
    message = await scene.dana.send(scene.thread, "Plain words")
    await scene.eve.send(scene.thread, "Me too")
    assert await scene.said() == ["Plain words"]
    assert any(str(one.emoji) == "✅" for one in scene.thread.history()[-2].reactions)
    await scene.dana.edit(message, "Better words")
    assert await scene.said() == ["Better words"]
    await scene.dana.delete(message)
    assert await scene.said() == []


async def test_other_bots_are_ignored(talkative: Scene) -> None:
    scene = talkative
    other = scene.guild.add_member(scene.env.create_user("robot", bot=True))
    await other.send(scene.thread, "beep")
    assert await scene.said() == []


async def test_reads_what_was_written_while_it_was_away(talkative: Scene) -> None:
    from notifications.discord_bot.client import Bot

    scene = talkative
    first = await scene.dana.send(scene.thread, "Before")
    second = await scene.dana.send(scene.thread, "Also before")
    await scene.env.restart_bot(discord.Client(intents=discord.Intents.all()))
    await scene.dana.send(scene.thread, "Meanwhile 1")
    await scene.eve.send(scene.thread, "Not staff")
    await scene.dana.send(scene.thread, "Meanwhile 2")
    await scene.dana.edit(first, "Before, corrected")
    await scene.dana.delete(second)
    for _ in range(2):
        await scene.env.restart_bot(Bot())
        await scene.env.settle()
    assert await scene.said() == ["Before, corrected", "Meanwhile 1", "Meanwhile 2"]


async def test_offers_durations_to_moderators_only(scene: Scene) -> None:
    offered = await scene.dana.autocomplete(scene.thread, "block", "duration", "1")
    assert [one["value"] for one in offered] == ["1h", "12h", "1d"]
    assert not await scene.eve.autocomplete(scene.thread, "block", "duration", "1")
