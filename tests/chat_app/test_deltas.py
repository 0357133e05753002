"""deltas.py: whatever pieces come, and however, what is sent joins to the answer's text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_app.deltas import DeltaReader
from chatsite.core.live import Delta


def delta(text, offset=0, *, answer="a", attempt=100):
    return Delta("session", answer, attempt, offset, text)


RESTART = ("restart", {"answer_id": "a"})


def seen(events):
    """What a reader holds after these events."""
    held = ""
    for name, data in events:
        assert name in ("delta", "restart")
        assert data["answer_id"] == "a"
        held = "" if name == "restart" else held + data["text"]
    return held


def test_sends_the_pieces_when_they_come_in_order():
    reader = DeltaReader()

    events = [*reader.piece(delta("Hel")), *reader.piece(delta("lo", 3)), *reader.end("a", "Hello")]

    assert events == [
        RESTART,
        ("delta", {"answer_id": "a", "text": "Hel"}),
        ("delta", {"answer_id": "a", "text": "lo"}),
    ]


def test_sends_the_rest_when_the_answer_ends():
    reader = DeltaReader()
    reader.piece(delta("Hel"))

    assert reader.end("a", "Hello") == [("delta", {"answer_id": "a", "text": "lo"})]


def test_sends_all_when_no_piece_came():
    assert seen(DeltaReader().end("a", "Hello")) == "Hello"
    assert DeltaReader().end("a", "") == [RESTART]


def test_says_restart_when_another_attempt_begins():
    reader = DeltaReader()
    assert seen(reader.piece(delta("Dead"))) == "Dead"

    events = reader.piece(delta("New", attempt=101))

    assert [name for name, _ in events] == ["restart", "delta"]


def test_drops_the_piece_when_its_attempt_is_over():
    reader = DeltaReader()
    reader.piece(delta("New", attempt=101))

    assert reader.piece(delta("Dead", attempt=100)) == []


def test_waits_for_the_end_when_a_piece_is_missing():
    reader = DeltaReader()
    reader.piece(delta("a"))

    assert reader.piece(delta("c", 2)) == []
    assert reader.end("a", "abc") == [("delta", {"answer_id": "a", "text": "bc"})]


def test_begins_anew_when_another_answer_is_made():
    reader = DeltaReader()
    reader.piece(delta("First", answer="b"))

    assert reader.piece(delta("Second")) == [
        RESTART,
        ("delta", {"answer_id": "a", "text": "Second"}),
    ]


def test_says_restart_when_the_stored_text_is_another():
    reader = DeltaReader()
    reader.piece(delta("Draft"))

    events = reader.end("a", "Final")

    assert [name for name, _ in events] == ["restart", "delta"]


def test_says_restart_once_when_the_stored_text_is_empty():
    reader = DeltaReader()
    reader.piece(delta("Draft"))

    assert reader.end("a", "") == [RESTART]


def test_begins_from_nothing_when_the_reader_was_here_before():
    held = seen(DeltaReader().piece(delta("Half of")))

    events = DeltaReader().end("a", "Half of it.")

    assert held == "Half of"
    assert [name for name, _ in events] == ["restart", "delta"]
    assert seen(events) == "Half of it."


@st.composite
def histories(draw):
    """Attempts at an answer, cut into overlapping pieces, of which some are lost, all shuffled."""
    texts = draw(st.lists(st.text(max_size=30), min_size=1, max_size=3))
    pieces = []
    for attempt, text in enumerate(texts):
        for _ in range(draw(st.integers(0, 6))):
            start = draw(st.integers(0, len(text)))
            end = draw(st.integers(start, len(text)))
            pieces.append(delta(text[start:end], start, attempt=100 + attempt))
    order = draw(st.permutations(pieces))
    return order, draw(st.one_of(st.sampled_from(texts), st.text(max_size=30)))


@pytest.mark.no_cover  # many rounds of the same lines: tracing makes them slow
@given(histories())
def test_joins_to_the_answer_when_pieces_come_anyhow(history):
    pieces, text = history
    reader, events = DeltaReader(), []
    for piece in pieces:
        events += reader.piece(piece)
    events += reader.end("a", text)

    assert seen(events) == text
    assert all(data["text"] for name, data in events if name == "delta")


@given(st.text(max_size=200), st.lists(st.integers(1, 20), max_size=30))
def test_sends_each_character_once_when_nothing_is_lost(text, sizes):
    reader, events, at = DeltaReader(), [], 0
    for size in sizes:
        events += reader.piece(delta(text[at : at + size], at))
        events += reader.piece(delta(text[at : at + size], at))
        at = min(len(text), at + size)
    events += reader.end("a", text)

    assert [name for name, _ in events[1:] if name == "restart"] == []
    assert seen(events) == text
