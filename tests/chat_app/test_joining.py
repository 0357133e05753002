"""joining.py: fewer pieces, the same text; what is not understood is handed on as it came."""

import asyncio
import contextlib
import json
import random

import httpx
import pytest

from chat_app import joining

END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
DONE = b"data: [DONE]\n\n"


def piece(text, *, choice=None, delta=None, **more):
    told = {"index": 0, "delta": {"content": text, **(delta or {})}, **(choice or {})}
    return b"data: " + json.dumps({"id": "c", "choices": [told], **more}).encode() + b"\n\n"


def events(data):
    return [event for event in data.split(b"\n\n") if event]


def contents(data):
    found = [json.loads(event[6:]) for event in events(data) if event != DONE.strip()]
    return [one["choices"][0]["delta"].get("content") for one in found if one["choices"]]


def test_makes_one_event_of_neighbours_when_they_are_read_at_once():
    read = piece("Hel") + piece("lo, ") + piece("Zoë\n\n!") + END + USAGE + DONE

    told = joining.Joiner().feed(read)

    assert contents(told) == ["Hello, Zoë\n\n!", None]
    assert told.endswith(END + USAGE + DONE)


def test_hands_an_event_on_as_it_came_when_it_is_alone():
    assert joining.Joiner().feed(piece("Hello")) == piece("Hello")


@pytest.mark.parametrize(
    "other",
    [
        piece("b", choice={"finish_reason": "length"}),
        piece("b", choice={"index": 1}),
        piece("b", choice={"logprobs": {"content": []}}),
        piece("b", delta={"tool_calls": [{"index": 0}]}),
        piece("b", delta={"reasoning_content": "Hm."}),
        piece(None),
        piece("b", usage={"prompt_tokens": 1}),
        piece("b", error={"message": "overloaded"}),
        b'data: {"error": {"message": "overloaded"}}\n\n',
        b'data: {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}\n\n',
        b'data: {"choices": ["a"]}\n\n',
        b'data: {"choices": [{"index": 0, "delta": {"content": "\xc3"}}]}\n\n',
        b"data: [1]\n\n",
        b": still here\n\n",
        b'event: delta\ndata: {"choices": [{"index": 0, "delta": {"content": "b"}}]}\n\n',
        b'data: {"choices": [{"index": 0,\ndata: "delta": {"content": "b"}}]}\n\n',
    ],
)
def test_leaves_an_event_alone_when_it_is_more_than_text(other):
    read = piece("a") + other + piece("c")

    assert joining.Joiner().feed(read) == read


def test_joins_what_names_empty_things_when_a_provider_writes_them_out():
    nothing = {"refusal": None, "tool_calls": [], "reasoning_content": ""}
    read = b"".join(
        piece(text, choice={"finish_reason": None, "logprobs": None}, delta=nothing, usage=None)
        for text in ("a", "b")
    )

    assert contents(joining.Joiner().feed(read)) == ["ab"]


def test_keeps_the_text_when_the_wire_cuts_it_anywhere():
    texts = [f"wörd {number}\r\n" if number % 9 else "" for number in range(200)]
    whole = b"".join(map(piece, texts)) + END + USAGE + DONE
    chance = random.Random(20261124)
    for _ in range(50):
        cuts = sorted(chance.sample(range(len(whole)), chance.randint(1, 60)))
        joiner, told = joining.Joiner(), b""
        for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            told += joiner.feed(whole[begin:end])
        told += joiner.rest()

        assert "".join(text or "" for text in contents(told)) == "".join(texts)
        assert told.endswith(END + USAGE + DONE)


@pytest.mark.parametrize(
    "reads",
    [
        [b'data: {"a": 1}\r\n\r\n', piece("b") + piece("c")],
        [b"data: " + b"x" * joining._MOST_BYTES, b"y", b"\n\n"],
    ],
    ids=["lines end another way", "an event without an end"],
)
def test_hands_on_what_came_when_it_cannot_be_read(reads):
    joiner = joining.Joiner()

    assert [joiner.feed(read) for read in reads] == reads
    assert joiner.rest() == b""


def test_gives_the_rest_when_the_last_event_has_no_end():
    joiner = joining.Joiner()

    assert joiner.feed(piece("a") + piece("b").strip()) == piece("a")
    assert joiner.rest() == piece("b").strip()


@pytest.mark.parametrize("read", [b'data: {"cho\n\n', piece("a") + b"data: {\n\n", b'data: {"a'])
def test_raises_when_an_event_is_broken(read):
    joiner = joining.Joiner()

    with pytest.raises(httpx.RemoteProtocolError):
        assert joiner.feed(read) == b"" == joiner.rest()


class Body(httpx.AsyncByteStream):
    """Bytes that are read when they are asked for, and joined where nobody asked in time."""

    def __init__(self, pieces):
        self._left, self.readings, self.is_closed = list(pieces), 0, False

    async def __aiter__(self):
        while self._left:
            taken = self._left if self.readings > 2 else self._left[:1]
            self._left = self._left[len(taken) :]
            self.readings += 1
            yield b"".join(taken)

    async def aclose(self):
        self.is_closed = True


async def _read(body, ended):
    stream = joining.JoinedStream(body, ended)
    found = [read async for read in stream]
    await stream.aclose()
    return found


@pytest.mark.parametrize("error", [None, OSError("cut")], ids=["ended", "broken"])
def test_waits_no_longer_when_nothing_more_comes(monkeypatch, error):
    monkeypatch.setattr(joining, "SECONDS", 3600)
    body = Body([piece(str(number)) for number in range(9)])

    async def ended():
        if error:
            raise error

    found = asyncio.run(asyncio.wait_for(_read(body, ended), 10))

    assert contents(b"".join(found)) == ["0", "1", "2", "345678"]
    assert body.readings == 4
    assert body.is_closed


def test_reads_on_when_the_pause_is_over(monkeypatch):
    monkeypatch.setattr(joining, "SECONDS", 0.001)
    body = Body([piece(str(number)) for number in range(9)])

    found = asyncio.run(asyncio.wait_for(_read(body, asyncio.Event().wait), 10))

    assert contents(b"".join(found)) == ["0", "1", "2", "345678"]


def test_does_not_pause_when_more_is_there_than_was_read(monkeypatch):
    monkeypatch.setattr(joining, "SECONDS", 3600)
    body = Body([piece("x" * joining._FULL)] * 3)

    found = asyncio.run(asyncio.wait_for(_read(body, asyncio.Event().wait), 10))

    assert len(found) == 3


def test_pauses_longer_the_more_answers_are_followed():
    assert joining.pause() == 0.04
    with contextlib.ExitStack() as all_followed:
        for _ in range(200):
            all_followed.enter_context(joining.followed())
        assert joining.pause() == 0.4
        with pytest.raises(OSError, match="cut"), joining.followed():
            raise OSError("cut")
        assert joining.pause() == 0.4
    assert joining.pause() == 0.04
