"""replies.py: what is told of an answer while it is made."""

import asyncio

import pytest

from chat_app import replies
from chat_app.models import ChatMessage
from chatsite.core import live


@pytest.mark.asyncio
async def test_lets_through_what_is_being_told_when_the_answer_ends(monkeypatch):
    told, begun = [], asyncio.Event()

    async def publish(_client, delta):
        begun.set()
        await asyncio.sleep(0.01)
        told.append(delta.text)

    monkeypatch.setattr(live, "publish_delta", publish)
    shown = replies._Shown(ChatMessage(pk="answer", session_id="session"), None)
    async with shown:
        await shown.add("Hello")
        await begun.wait()

    assert told == ["Hello"]


@pytest.mark.asyncio
async def test_ends_when_nothing_can_be_told(monkeypatch):
    begun = asyncio.Event()

    async def publish(_client, _delta):
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(live, "publish_delta", publish)
    monkeypatch.setattr(replies, "_LET_THROUGH", 0.01)
    shown = replies._Shown(ChatMessage(pk="answer", session_id="session"), None)
    async with shown:
        await shown.add("Hello")
        await begun.wait()

    assert shown._task.done()
