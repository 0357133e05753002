"""live.py: what is announced on commit arrives over Redis; pieces are kept for late readers."""

import json
import time

import pytest
from django.db import transaction

from chatsite.core import live, queue
from tests.support import SECONDS


@pytest.fixture
def listening(redis):
    """The messages of the channels, once they are published."""
    pubsub = redis.pubsub()
    pubsub.subscribe(live.EVENTS, live.STOPS)
    deadline = time.monotonic() + SECONDS
    while redis.pubsub_numsub(live.EVENTS)[0][1] < 1:
        assert time.monotonic() < deadline

    def messages():
        assert live.flush(SECONDS)
        found = []
        while message := pubsub.get_message(timeout=0.05):
            if message["type"] == "message":
                found.append((message["channel"].decode(), message["data"].decode()))
        return found

    yield messages
    pubsub.close()


LIVE_TEST = "live-test"
ANNOUNCEMENT = live.Announcement(LIVE_TEST, 2, "message", "row")


@pytest.mark.django_db(transaction=True)
def test_announces_when_the_transaction_is_committed(listening):
    with transaction.atomic():
        live.announce(ANNOUNCEMENT)
        live.request_stop("live-test-answer")
        assert LIVE_TEST not in str(listening())

    told = listening()

    assert (live.EVENTS, live.encode(ANNOUNCEMENT)) in told
    assert (live.STOPS, "live-test-answer") in told


@pytest.mark.django_db(transaction=True)
def test_announces_nothing_when_the_transaction_is_rolled_back(listening, redis):
    with transaction.atomic():
        live.announce(ANNOUNCEMENT)
        live.ring(queue.ANSWER)
        transaction.set_rollback(True)

    assert LIVE_TEST not in str(listening())
    assert redis.exists("chatsite:replies") == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("task", "name"), [(queue.ANSWER, "replies"), (queue.DELIVER, "notifications")]
)
def test_enqueues_the_task_in_its_queue_when_rung(redis, task, name):
    live.ring(task)

    assert live.flush(SECONDS)
    (message,) = redis.lrange(f"chatsite:{name}", 0, -1)
    assert json.loads(message)["headers"]["task"] == task


def test_reads_what_it_wrote_when_decoding():
    delta = live.Delta("s", "a", 100, 3, "é\n\u2028\"'")

    two = "\n".join([live.encode(ANNOUNCEMENT)] * 2).encode()
    assert live.decode_announcements(two) == [ANNOUNCEMENT] * 2
    assert live.decode_delta(live.encode(delta).encode()) == delta
    assert live.decode_piece(live.encode(delta)) == delta
    typing = live.Typing("s", "staff")
    assert live.decode_piece(live.encode(typing)) == typing
    assert "\n" not in live.encode(delta)


@pytest.mark.asyncio
async def test_keeps_the_pieces_of_the_last_attempt_for_late_readers(redis):
    client = live.async_client()
    for attempt, offset, text in ((100, 0, "Dead"), (200, 0, "Al"), (200, 2, "ive")):
        await live.publish_delta(client, live.Delta("s", "a", attempt, offset, text))

    found = await live.partial(client, "a")

    assert [delta.text for delta in found] == ["Al", "ive"]
    assert await live.partial(client, "unknown") == []
    assert 0 < redis.ttl(live.partial_key("a")) <= 300
    await client.aclose()


@pytest.mark.asyncio
async def test_caps_the_pieces_when_there_are_too_many(redis, monkeypatch):
    monkeypatch.setattr(live, "_PARTIAL_ENTRIES", 10)
    client = live.async_client()
    for number in range(500):
        await live.publish_delta(client, live.Delta("s", "a", 100, number, "x"))

    assert redis.xlen(live.partial_key("a")) < 250  # approximately: whole blocks are dropped
    await client.aclose()


def test_tells_in_one_message_what_is_told_in_one_go():
    told = [(live.EVENTS, "a"), (live.BELLS, "bell"), (live.EVENTS, "b"), (live.BELLS, "bell")]

    assert live._joined(told) == [(live.EVENTS, "a\nb"), (live.BELLS, "bell")]
    assert live._joined([(live.STOPS, "answer")]) == [(live.STOPS, "answer")]
