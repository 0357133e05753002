"""chat_app.engine where an answer's lease ran out and the same worker claims it again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chat_app import engine as engines
from chat_app.models import ChatMessage


class FakeReply:
    """A reply that takes long, and remembers that it was ended."""

    made: list[FakeReply] = []

    def __init__(self, answer: ChatMessage, _prepared: None, **_: Any) -> None:
        self.answer, self.was_ended, self.is_last = answer, False, False
        self.made.append(self)

    async def run(self) -> None:
        await asyncio.sleep(60)

    def stopped(self) -> None:
        """No outcome is needed."""

    async def end(self, _outcome: None) -> None:
        self.was_ended = True


@pytest.mark.asyncio
async def test_halts_the_lost_claim_only_when_the_answer_came_back_meanwhile(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ANSWER_LEASE_SECONDS = 0
    monkeypatch.setattr(engines, "Reply", FakeReply)
    monkeypatch.setattr(engines.pulse, "beat", _nothing)
    engine = engines.Engine()
    engine._loop.close()
    engine._loop, engine._client = asyncio.get_running_loop(), None
    engine._begin(ChatMessage(pk="answer", lease_token="lost"), None, is_watched=False)

    async def reclaimed(_executor: Any, act: Any) -> set[str]:
        (tokens,) = act.args
        engine._begin(ChatMessage(pk="answer", lease_token="new"), None, is_watched=False)
        return {"answer"} if "new" in tokens else set()

    monkeypatch.setattr(engine, "_on", reclaimed)
    await engine._beat()
    lost, new = FakeReply.made
    assert (lost.was_ended, new.was_ended) == (True, False)
    assert list(engine._running) == [("answer", "new")]


async def _nothing(_client: None) -> None:
    pass
