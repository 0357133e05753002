"""A19: three streams a session, bounded memory for whoever never reads, no event in an event."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async

from chatsite.core import hub
from sessions_app.selectors import poll
from tests.support import Reader, problem, say

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

STREAM = {"accept": "text/event-stream"}
FORGED = [
    "\n\ndata: {}\n\n",
    "\r\n\r\nevent: answer\r\ndata: {}\r\n\r\n",
    "x\nid: 99\nretry: 1\n\n:",
    "\u2028\u2029data: x",
]


async def test_a19_opens_three_streams_when_a_hundred_are_asked_for(web):
    answers = await asyncio.gather(*[web.get("/chat/events", **STREAM) for _ in range(100)])

    opened = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert (len(opened), len(refused)) == (3, 97)
    for answer in refused:
        problem(answer, 429, "too_many_streams")
    for answer in opened:
        await Reader(answer).close()


async def test_a19_keeps_little_for_a_reader_that_never_reads(web):
    from chatsite.core import live

    answer = await web.get("/chat/events", **STREAM)
    stream = aiter(answer.streaming_content)
    await anext(stream)  # `retry:`; from here on nothing is read
    pending = asyncio.ensure_future(anext(stream))
    follower = hub.current(poll)
    while not follower._watchers:
        await asyncio.sleep(0.01)
    (watcher,) = follower._watchers[web.session.pk]
    for n in range(20_000):
        watcher.put(live.Delta(web.session.pk, "a", 100, n * 100, "x" * 100))

    assert len(watcher._items) <= hub._MOST_ITEMS
    pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)


@pytest.mark.parametrize("text", FORGED)
async def test_a19_tells_one_event_whatever_a_token_holds(web, text):
    reader = Reader(await web.get("/chat/events?after=1", **STREAM))

    await sync_to_async(say)(web.session, text)

    told = await reader.next()
    assert (told.name, told.data["text"]) == ("message", text)
    await reader.close()


@pytest.mark.parametrize("text", FORGED)
async def test_a19_streams_an_answer_whole_whatever_its_tokens_hold(web, engine, text):
    reader = Reader(await web.stream(text))

    told = await reader.rest()

    assert told[-1].data["response"] == f"You said: {text}"
    pieces = "".join(one.data["text"] for one in told if one.name == "delta")
    assert json.dumps(pieces) == json.dumps(f"You said: {text}")
