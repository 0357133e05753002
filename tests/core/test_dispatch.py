"""chatsite.core.dispatch: what is told is told in order, bells once, and nothing ever blocks."""

from __future__ import annotations

import threading

import pytest

from chatsite.core import dispatch
from chatsite.core.dispatch import Dispatcher


class Told:
    """A Redis that notes what it is told, and waits at a gate while that is closed."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.bells: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.failures = 0

    def send(self, messages: list[tuple[str, str]]) -> None:
        self.gate.wait(5)
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.messages += messages

    def ring(self, bell: str) -> None:
        self.gate.wait(5)
        self.bells.append(bell)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def dispatcher(told: Told) -> Dispatcher:
    return Dispatcher(send=told.send, ring=told.ring)


def test_tells_in_order_when_much_is_told(dispatcher, told):
    for number in range(1000):
        dispatcher.publish("channel", str(number))

    assert dispatcher.flush(5)
    assert [message for _, message in told.messages] == [str(number) for number in range(1000)]


def test_rings_once_when_a_bell_is_rung_while_redis_is_slow(dispatcher, told):
    told.gate.clear()
    dispatcher.ring("first")
    while dispatcher._bells:  # until the thread has taken it
        threading.Event().wait(0.001)
    for _ in range(50):
        dispatcher.ring("answers")
    told.gate.set()

    assert dispatcher.flush(5)
    assert told.bells == ["first", "answers"]


def test_goes_on_when_redis_fails(dispatcher, told):
    told.failures = 1
    dispatcher.publish("channel", "lost")
    assert dispatcher.flush(5)

    dispatcher.publish("channel", "told")

    assert dispatcher.flush(5)
    assert told.messages == [("channel", "told")]


def test_drops_the_oldest_when_redis_is_away_for_long(dispatcher, told, monkeypatch):
    told.gate.clear()
    dispatcher.ring("hold")
    while dispatcher._bells:
        threading.Event().wait(0.001)
    for number in range(dispatch._MOST + 5):
        dispatcher.publish("channel", str(number))
    assert not dispatcher.flush(0.01)
    told.gate.set()

    assert dispatcher.flush(10)
    assert len(told.messages) == dispatch._MOST
    assert told.messages[0] == ("channel", "5")


def test_rings_a_bell_once_in_a_while_when_it_is_rung_often(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_RING_EVERY", 3600.0)
    dispatcher = Dispatcher(send=told.send, ring=told.ring)
    dispatcher.ring("bell")
    assert dispatcher.flush(5)
    for _ in range(5):
        dispatcher.ring("bell")
    dispatcher.publish("channel", "message")
    while not told.messages:
        threading.Event().wait(0.001)

    rung_before = list(told.bells)
    assert dispatcher.flush(5)
    assert (rung_before, told.bells) == (["bell"], ["bell", "bell"])


def test_rings_by_itself_when_a_bell_came_too_soon(told: Told) -> None:
    dispatcher = Dispatcher(send=told.send, ring=told.ring)
    dispatcher.ring("bell")
    while not told.bells:
        threading.Event().wait(0.001)
    dispatcher.ring("bell")
    deadline = threading.Event()
    for _ in range(2000):
        if len(told.bells) == 2:
            break
        deadline.wait(0.005)

    assert told.bells == ["bell", "bell"]
