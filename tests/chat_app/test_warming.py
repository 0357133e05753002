"""warming.py: a worker's first call is made of a provider of its own, of both kinds."""

import asyncio

import pytest

from chat_app import llm, warming

pytestmark = pytest.mark.asyncio


async def test_asks_for_a_whole_and_for_a_streamed_answer(monkeypatch):
    answered = []
    for name in ("_whole", "_streamed"):
        make = getattr(warming, name)
        monkeypatch.setattr(warming, name, lambda n=name, f=make: answered.append(n) or f())

    await llm.warm_up()

    assert answered == ["_whole", "_streamed"]


async def test_leaves_who_sends_no_request():
    async with warming.provider() as base:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(base.split(":")[2][:-3]))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")

        assert await reader.read() == b""
        writer.close()
