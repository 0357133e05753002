"""straight.py: what is changed in the libraries below litellm changes nothing that is sent."""

import asyncio

import pytest
from openai.types.chat import ChatCompletionChunk
from openai.types.chat import completion_create_params as params

from chat_app import llm

_PARTS = [{"type": "text", "text": "Hello"}, {"type": "file", "file": {"file_id": "f"}}]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello?"}],
        [{"role": "user", "content": _PARTS}],
        [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": None}],
        [],
    ],
    ids=["plain", "parts", "nothing said", "no message"],
)
def test_sends_what_the_library_would_when_it_is_not_asked(messages):
    body = {
        "messages": messages,
        "model": "m",
        "temperature": 0.7,
        "stream_options": {"include_usage": True},
    }
    kind = params.CompletionCreateParamsStreaming

    async def both():
        return (
            await llm.completions.async_maybe_transform(dict(body), kind),
            await llm._transform(dict(body), kind),
        )

    ours, theirs = asyncio.run(both())

    assert ours == theirs
    assert ours["messages"] == messages


def test_reads_what_the_library_would_when_it_asks_no_protocol(monkeypatch):
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "more": [1]}],
    }
    ours = ChatCompletionChunk.construct(**chunk)
    monkeypatch.setattr(llm.openai_models, "_ConfigProtocol", llm._protocol)

    theirs = ChatCompletionChunk.construct(**chunk)

    assert ours == theirs
    assert ours.choices[0].delta.content == "Hi"
