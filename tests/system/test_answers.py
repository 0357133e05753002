"""One visitor and the running product: asked, streamed, stopped, refused."""

from __future__ import annotations

import asyncio

import pytest

from tests.system.processes import Stack
from tests.system.visitors import Entrance, Stream

ATTACKS = {
    "cross-site scripting": "<script>alert('XSS')</script>",
    "SQL injection": "'; DROP TABLE users; --",
    "template injection": "{{constructor.constructor('return process')()}}",
    "path traversal": "../../etc/passwd",
}


@pytest.mark.asyncio
async def test_hands_out_pieces_while_the_provider_is_not_done(
    door: Entrance, stack: Stack
) -> None:
    visitor = await door.visitor()
    question = "[words50-held20] Tell me a lot"
    async with visitor.ask_streamed(question) as stream:
        await stream.until(lambda one: "word19 " in _shown(one))
        assert not stream.named("answer")
        await asyncio.to_thread(stack.release, question)
        answer = await stream.until_event("answer")
        await stream.until_ended()
    assert stream.ended
    assert stream.joined(answer.data["answer_id"]) == answer.data["response"]


def _shown(stream: Stream) -> str:
    return "".join(one.data["text"] for one in stream.named("delta"))


@pytest.mark.asyncio
async def test_keeps_the_text_so_far_when_a_stream_is_stopped(stack: Stack, door: Entrance) -> None:
    question = "[words400-gap0.05] Go on until I say stop"
    visitor = await door.visitor()
    async with visitor.ask_streamed(question) as stream:
        await stream.until_event("delta", count=5)
        answer_id = stream.named("delta")[0].data["answer_id"]
        stopped = await visitor.stop(answer_id)
        answer = await stream.until_event("answer")
    assert stopped["status"] == answer.data["status"] == "stopped"
    assert stopped["text"] == answer.data["response"] == stream.joined(answer_id)
    assert answer.data["response"].startswith("word0 word1 ")
    assert "word399" not in answer.data["response"]
    await _until(lambda: stack.ledger()["hung_up"].get(question) == 1)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.asyncio
async def test_answers_an_attack_with_a_text_that_names_safety(
    stack: Stack, door: Entrance, attack: str
) -> None:
    visitor = await door.visitor()
    status, body = await visitor.ask(attack)
    assert (status, body["safety"]) == (200, True)
    assert "safety" in body["response"].lower()
    assert stack.times_asked(attack) == 0


async def _until(is_so, within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not is_so():
            await asyncio.sleep(0.1)
