"""straight.py: what is changed in the libraries below litellm changes nothing that is sent."""

import asyncio

import litellm
import pytest

from chat_app import llm


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
