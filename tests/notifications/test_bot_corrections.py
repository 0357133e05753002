"""Moderators correct and take back what they said: buttons, forms, refusals, absences (simcord)."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from chat_app import staff
from chat_app.models import ChatMessage
from sessions_app.audit import Actor
from sessions_app.models import AuditEntry
from tests.notifications.simulated import Scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

KIM = Actor("admin", "1", "Kim")


async def _replied(scene: Scene, text: str) -> Any:
    await scene.dana.slash(scene.thread, "reply", text=text)
    return await scene.mirrored(text)


async def _taken_back(scene: Scene, text: str) -> None:
    def act() -> None:
        said = ChatMessage.objects.get(content=text)
        staff.delete_message(session_id=scene.session.pk, message_id=said.pk, actor=KIM)

    await scene.db(act)


async def test_edit_opens_a_form_with_the_text_and_corrects_it(scene: Scene) -> None:
    message = await _replied(scene, "Helo")
    shown = await scene.dana.click(message, label="Edit")
    assert "Helo" in str(shown.modal)
    result = await scene.dana.submit_modal(shown, {"text": "Hello"})
    assert result.response.content == "✅ Corrected for the visitor."
    assert await scene.said() == ["Hello"]
    acts = await scene.db(lambda: list(AuditEntry.objects.values_list("act", flat=True)))
    assert acts == ["take_over", "reply", "edit"]


async def test_delete_takes_it_back(scene: Scene) -> None:
    message = await _replied(scene, "Oops")
    result = await scene.dana.click(message, label="Delete")
    assert result.response.content == "🗑️ Taken back from the visitor."
    assert await scene.said() == []


async def test_what_was_taken_back_can_be_corrected_no_more(scene: Scene) -> None:
    message = await _replied(scene, "Helo")
    shown = await scene.dana.click(message, label="Edit")
    await _taken_back(scene, "Helo")
    result = await scene.dana.submit_modal(shown, {"text": "Hello"})
    assert result.response.content.startswith("❌")
    result = await scene.dana.click(message, label="Edit")
    assert result.response.content == "This reply cannot be corrected any more."
    assert await scene.said() == []


async def test_a_database_that_is_slow_opens_no_form(scene: Scene, monkeypatch: Any) -> None:
    from notifications.discord_bot import components

    message = await _replied(scene, "Helo")
    monkeypatch.setattr(components, "_FORM_SECONDS", 0.0)
    result = await scene.dana.click(message, label="Edit")
    assert result.response.content == "This reply cannot be corrected any more."


async def test_a_stranger_corrects_nothing(scene: Scene) -> None:
    message = await _replied(scene, "Mine")
    for label in ("Edit", "Delete"):
        result = await scene.eve.click(message, label=label)
        assert result.response.content == "Only moderators may do this."
    assert await scene.said() == ["Mine"]


async def test_the_form_of_a_reply_refuses_what_cannot_be_said(scene: Scene) -> None:
    shown = await scene.dana.click(scene.card, label="Reply")
    result = await scene.dana.submit_modal(shown, {"text": "   "})
    assert result.response.content == "❌ There is nothing to say."


async def test_a_message_that_cannot_be_taken_is_answered_with_the_reason(talkative: Scene) -> None:
    scene = talkative
    await scene.dana.send(scene.thread, "So long")
    await scene.db(lambda: staff.close(session_id=scene.session.pk, actor=KIM))
    await scene.dana.send(scene.thread, "Too late")
    last = scene.thread.history()[-1]
    assert last.content.startswith("⚠️ Not sent: This conversation is closed")
    assert await scene.said() == ["So long"]


async def test_an_edit_to_nothing_leaves_what_was_said(talkative: Scene) -> None:
    scene = talkative
    message = await scene.dana.send(scene.thread, "Words")
    await scene.dana.edit(message, "   ")
    assert await scene.said() == ["Words"]


async def test_what_was_corrected_in_a_closed_conversation_is_read_after_an_absence(
    talkative: Scene,
) -> None:
    from notifications.discord_bot.client import Bot

    scene = talkative
    message = await scene.dana.send(scene.thread, "It costs 9")
    await scene.db(lambda: staff.close(session_id=scene.session.pk, actor=KIM))
    await scene.env.restart_bot(discord.Client(intents=discord.Intents.all()))
    await scene.dana.edit(message, "It costs 90")
    await scene.env.restart_bot(Bot())
    await scene.env.settle()
    assert await scene.said() == ["It costs 90"]
