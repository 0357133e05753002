"""hub.py: readers hear what is announced, and find by a poll what was not."""

import asyncio

import pytest
import pytest_asyncio

from chatsite.core import hub, live, runtime
from tests.support import SECONDS, until

pytestmark = pytest.mark.asyncio


class Sessions:
    """What a poll finds: open sessions and their last events."""

    def __init__(self):
        self.open, self.asked, self.fail = {}, [], False

    async def poll(self, ids):
        self.asked.append(set(ids))
        if self.fail:
            raise ConnectionError
        return {session: seq for session, seq in self.open.items() if session in ids}


@pytest.fixture
def sessions(monkeypatch):
    monkeypatch.setattr(hub, "_TICK", 0.01)
    monkeypatch.setattr(hub, "_POLL_SECONDS", 0.03)
    return Sessions()


@pytest_asyncio.fixture
async def followed(sessions):
    found = hub.Hub(sessions.poll)
    yield found
    await found.close()


@pytest.fixture
def unpolled(monkeypatch, sessions):
    monkeypatch.setattr(hub, "_POLL_SECONDS", 3600.0)


async def heard(watcher, wanted):
    """Wait for an item of which this is so."""
    async with asyncio.timeout(SECONDS):
        while True:
            for item in await watcher.next(SECONDS):
                if wanted(item):
                    return item


def announcement(session="a", seq=2, kind="message", reference="row"):
    return live.Announcement(session, seq, kind, reference)


async def publish(followed, item, channel=live.EVENTS):
    await until(lambda: followed.connected)
    await followed.redis.publish(channel, live.encode(item))


async def test_tells_a_reader_when_its_session_is_announced(unpolled, followed):
    async with followed.watch("a") as watcher, followed.watch("b") as other:
        await publish(followed, announcement())

        item = await heard(watcher, lambda item: item.kind == "message")

        assert item == announcement()
        assert watcher.seen == 2
        assert all(item.kind == hub.STALE for item in await other.next(0))


async def test_tells_every_reader_when_a_session_has_several(unpolled, followed):
    async with followed.watch("a") as first, followed.watch("a") as second:
        await publish(followed, announcement())

        for watcher in (first, second):
            assert (await heard(watcher, lambda item: item.kind == "message")).seq == 2


async def test_remembers_what_was_announced_lately_when_asked(unpolled, followed, monkeypatch):
    monkeypatch.setattr(hub, "_MOST_RECENT", 2)
    for number in range(3):
        await publish(followed, announcement(reference=f"row{number}"))

    await until(lambda: followed.was_told("row2"))

    assert not followed.was_told("row0")
    assert followed.was_told("row1")


async def test_tells_pieces_only_when_somebody_wants_them(unpolled, followed):
    piece = live.Delta("a", "answer", 100, 0, "text")
    async with followed.watch("a", deltas=True) as watcher, followed.watch("a", deltas=True):
        assert followed._deltas == {"a": 2}
        await until(lambda: followed.connected)
        await until_subscribed(followed, "a")
        await publish(followed, piece, live.delta_channel("a"))

        assert await heard(watcher, lambda item: isinstance(item, live.Delta)) == piece

    assert followed._deltas == {}
    await until_subscribed(followed, "a", readers=0)


async def until_subscribed(followed, session, readers=1):
    channel = live.delta_channel(session)
    async with asyncio.timeout(SECONDS):
        while (await followed.redis.pubsub_numsub(channel))[0][1] != readers:
            await asyncio.sleep(0.005)


async def test_subscribes_again_when_the_connection_was_lost(unpolled, followed):
    async with followed.watch("a", deltas=True) as watcher:
        await until(lambda: followed.connected)
        await until_subscribed(followed, "a")
        await watcher.next(0)
        await followed.redis.client_kill_filter(_type="pubsub", skipme=True)

        await heard(watcher, lambda item: item.kind == hub.STALE)

        await until_subscribed(followed, "a")
        await publish(followed, announcement(seq=9))
        assert (await heard(watcher, lambda item: item.kind == "message")).seq == 9


async def test_says_stale_when_a_reader_is_too_slow(unpolled, followed, monkeypatch):
    monkeypatch.setattr(hub, "_MOST_ITEMS", 3)
    async with followed.watch("a") as watcher:
        for number in range(4):
            watcher.put(announcement(seq=number + 1))

        (item,) = await watcher.next(0)

        assert (item.kind, item.seq, watcher.seen) == (hub.STALE, 0, 4)


async def test_keeps_memory_bounded_when_a_reader_never_reads(unpolled, followed):
    async with followed.watch("a") as watcher:
        for number in range(10 * hub._MOST_ITEMS):
            watcher.put(announcement(seq=number))

        assert len(watcher._items) <= hub._MOST_ITEMS


async def test_finds_by_a_poll_what_was_missed(followed, sessions):
    sessions.open = {"a": 7}
    async with followed.watch("a", since=5) as watcher:
        item = await heard(watcher, lambda item: item.kind == hub.STALE and item.seq)

        assert item.seq == 7


async def test_finds_nothing_by_a_poll_when_the_reader_knows_all(followed, sessions):
    sessions.open = {"a": 5}
    async with followed.watch("a", since=5) as watcher:
        await until(lambda: followed.connected)
        await until(lambda: len(sessions.asked) > 2)

        assert [item for item in await watcher.next(0) if item.seq] == []


async def test_says_closed_when_a_session_is_open_no_more(followed, sessions):
    async with followed.watch("a") as watcher:
        item = await heard(watcher, lambda item: item.kind == hub.CLOSED)

        assert item.session == "a"


async def test_asks_once_for_all_when_there_are_many_readers(followed, sessions):
    sessions.open = {"a": 0, "b": 0}
    async with followed.watch("a"), followed.watch("a"), followed.watch("b"):
        await until(lambda: {"a", "b"} in sessions.asked)

    asked = len(sessions.asked)
    await asyncio.sleep(0.1)
    assert len(sessions.asked) == asked  # and nobody is asked about when nobody reads


async def test_goes_on_when_a_poll_fails(followed, sessions, log_lines):
    sessions.fail = True
    async with followed.watch("a") as watcher:
        await until(lambda: len(sessions.asked) > 1)
        sessions.fail, sessions.open = False, {"a": 3}

        assert (await heard(watcher, lambda item: item.seq)).seq == 3
    assert any("open sessions were not polled" in line for line in log_lines())


async def test_polls_when_redis_is_away(sessions, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(hub, "_POLL_SECONDS_WITHOUT_REDIS", 0.03)
    monkeypatch.setattr(hub, "_POLL_SECONDS", 3600.0)
    followed = hub.Hub(sessions.poll)
    sessions.open = {"a": 3}
    async with followed.watch("a", deltas=True) as watcher:
        assert (await heard(watcher, lambda item: item.seq)).seq == 3
        assert not followed.connected
    await followed.close()


async def test_notices_a_dead_connection_when_nothing_answers(
    unpolled, sessions, settings, monkeypatch
):
    """A server that accepts and never speaks: fifteen seconds in real life, a blink here."""
    answered = pinged = 0

    async def swallow(reader, writer):
        nonlocal answered, pinged
        answered += 1
        while data := await reader.read(65536):
            if b"SUBSCRIBE" in data.upper():
                writer.write(b"*3\r\n$9\r\nsubscribe\r\n$15\r\nchatsite:events\r\n:1\r\n")
            elif b"PING" in data.upper():
                pinged += 1
            else:
                writer.write(b"+OK\r\n" * data.upper().count(b"*"))
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0?protocol=2"
    for name, seconds in {"_SILENCE": 0.02, "_SOUND_SECONDS": 0.01, "_DEAD": 0.1}.items():
        monkeypatch.setattr(hub, name, seconds)
    found = hub.Hub(sessions.poll)
    try:
        await until(lambda: answered > 1)
        assert pinged > 0
    finally:
        await found.close()
        server.close()


async def test_keeps_a_silent_connection_when_it_answers(unpolled, sessions, monkeypatch):
    for name, seconds in {"_SILENCE": 0.02, "_SOUND_SECONDS": 0.01, "_DEAD": 0.2}.items():
        monkeypatch.setattr(hub, name, seconds)
    found = hub.Hub(sessions.poll)
    try:
        await until(lambda: found._limit)
        before = found._pubsub
        await asyncio.sleep(0.5)  # more than twice the silence that an answer must end

        assert found.connected
        assert found._pubsub is before
    finally:
        await found.close()


async def test_wakes_every_reader_when_the_process_is_stopping(unpolled, followed, monkeypatch):
    class Worker:
        alive = True

    monkeypatch.setattr(runtime, "worker", Worker())
    async with followed.watch("a") as watcher:
        await until(lambda: followed.connected)
        await watcher.next(0)
        assert not followed.is_stopping
        Worker.alive = False

        async with asyncio.timeout(SECONDS):
            while not followed.is_stopping or await watcher.next(SECONDS):
                pass

        assert followed.is_stopping


async def test_is_one_when_asked_twice_on_a_loop(sessions):
    first, second = hub.current(sessions.poll), hub.current(sessions.poll)

    assert first is second
    await first.close()
