"""straight.py: what is changed in the libraries below litellm changes nothing that is sent."""

import asyncio

import litellm
import pytest
from openai.types.chat import ChatCompletionChunk
from openai.types.chat import completion_create_params as params

from chat_app import llm, straight

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


@pytest.mark.parametrize("value", ["stop", "odd", None, 3])
def test_finds_the_validator_of_the_type_when_it_was_found_before(value):
    reason = ChatCompletionChunk.model_fields["choices"].annotation.__args__[0]
    kind = reason.model_fields["finish_reason"].annotation

    found = [llm.openai_models.construct_type(value=value, type_=kind) for _ in range(2)]

    assert found == [value, value]
    assert llm.openai_models.TypeAdapter(kind) is llm._adapter(kind)


def test_takes_no_type_for_another_when_types_come_and_go():
    for _ in range(straight._MOST_TYPES // 100):
        assert llm.openai_models.TypeAdapter(list[int]).validate_python(["1"]) == [1]
        assert llm.openai_models.TypeAdapter(list[str]).validate_python(["1"]) == ["1"]


def _chunks(*usages):
    return [
        litellm.ModelResponseStream(
            choices=[{"index": 0, "delta": {"content": "Hi"}}], **({"usage": one} if one else {})
        )
        for one in usages
    ]


_USED = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


_HALF = {**_USED, "completion_tokens": 0, "total_tokens": 7}


@pytest.mark.parametrize(
    ("usages", "is_believed"),
    [((None, _USED), True), ((None, None), False), ((None, _HALF), False)],
    ids=["told", "not told", "told by halves"],
)
def test_counts_what_the_library_would_when_the_answer_is_not_built_anew(usages, is_believed):
    built = []

    def build(**options):
        built.append(options)
        return litellm.stream_chunk_builder(**options)

    more = {"messages": [{"role": "user", "content": "Hello?"}], "logging_obj": None}

    async def both():
        ways = (llm.streaming_handler.asyncify, llm._aside)
        return [await way(build)(chunks=_chunks(*usages), **more) for way in ways]

    ours, theirs = asyncio.run(both())

    counts = [[getattr(one.usage, name) for name in _USED] for one in (ours, theirs)]
    assert counts[0] == counts[1]
    assert counts[0][0]
    assert len(built) == (1 if is_believed else 2)
