"""The comparison finds what a run must find: each kind of loss is made here, and seen."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from chaos.judge import DISORDER, DOUBLED, LOST, compare, counts
from chaos.ledger import Ledger, Word
from chaos.report import Outcome
from chaos.truth import Row, Told, Truth

S = "s" * 32
THREAD = f"Session {S[:8]}"


def ledger() -> Ledger:
    """Two questions were accepted, one page read their events, one moderator wrote."""
    words = [
        Word(S, f"k{n}", f"Question {n}", [202], message_id=f"q{n}", answer_id=f"a{n}")
        for n in (1, 2)
    ]
    events = [(2, "message", "q1"), (3, "answer", "a1"), (4, "message", "q2"), (5, "answer", "a2")]
    page: Any = SimpleNamespace(session=S, cursor=5, events=events, torn=[])
    return Ledger(words, [page], [(S, "A person speaks")])


def truth() -> Truth:
    """Everything as it was promised."""
    rows = [Row("m1", S, 6, "staff", "A person speaks", None, None, "done", False, "")]
    for n, seq in ((1, 2), (2, 4)):
        text = f"Question {n}"
        rows.append(Row(f"q{n}", S, seq, "user", text, None, f"k{n}", "done", False, ""))
        answer = f"You said: {text}"
        rows.append(Row(f"a{n}", S, seq + 1, "assistant", answer, f"q{n}", None, "done", False, ""))
    told = [("message", "q1"), ("answer", "a1"), ("message", "q2"), ("answer", "a2")]
    events = [Told(S, seq, *one) for seq, one in enumerate(told, start=2)]
    events.append(Told(S, 6, "message", "m1"))
    return Truth(rows, events, {"m1"}, {THREAD: [[2, 3, 4, 5]]})


def change(found: Truth, row: str, **columns: Any) -> None:
    found.rows = [replace(one, **columns) if one.id == row else one for one in found.rows]


def drop(found: Truth, row: str) -> None:
    found.rows = [one for one in found.rows if one.id != row]


def kinds(promised: Ledger, found: Truth) -> set[str]:
    return {finding.kind for finding in compare(promised, found)}


def test_finds_nothing_where_every_promise_was_kept() -> None:
    assert compare(ledger(), truth()) == []


@pytest.mark.parametrize("row", ["q1", "a1", "m1"])
def test_finds_a_row_that_is_gone(row: str) -> None:
    found = truth()
    drop(found, row)
    assert LOST in kinds(ledger(), found)


@pytest.mark.parametrize(
    "columns",
    [{"status": "running"}, {"content": ""}, {"id": "another"}],
    ids=["unfinished", "empty", "another"],
)
def test_finds_an_answer_that_never_came(columns: dict[str, Any]) -> None:
    found = truth()
    change(found, "a2", **columns)
    assert LOST in kinds(ledger(), found)


def test_finds_a_question_that_was_changed() -> None:
    found = truth()
    change(found, "q1", content="Another")
    assert LOST in kinds(ledger(), found)


def test_finds_a_question_that_is_there_twice() -> None:
    found = truth()
    found.rows.append(replace(found.rows[1], id="q9", seq=9))
    assert kinds(ledger(), found) == {DOUBLED}


def test_finds_a_question_that_nobody_asked() -> None:
    found = truth()
    found.rows.append(Row("q9", S, 9, "user", "Who?", None, "k9", "done", False, ""))
    assert kinds(ledger(), found) == {DOUBLED}


def test_finds_two_answers_to_one_question() -> None:
    found = truth()
    found.rows.append(Row("a9", S, 9, "assistant", "You said", "q1", None, "done", False, ""))
    assert DOUBLED in kinds(ledger(), found)


def test_finds_a_moderators_word_that_came_twice() -> None:
    found = truth()
    found.rows.append(replace(found.rows[0], id="m2", seq=8))
    assert kinds(ledger(), found) == {DOUBLED}


def test_finds_questions_in_another_order() -> None:
    found = truth()
    change(found, "q1", seq=8)
    assert kinds(ledger(), found) == {DISORDER}


def test_asks_no_order_of_what_was_said_at_once() -> None:
    promised, found = ledger(), truth()
    for word in promised.words:
        word.at_once = True
    change(found, "q1", seq=8)
    swapped = {"a1": 5, "a2": 3}
    found.events = [replace(one, seq=swapped.get(one.reference, one.seq)) for one in found.events]
    promised.readers.clear()
    found.threads = None
    assert compare(promised, found) == []


def test_finds_answers_that_ended_in_another_order() -> None:
    found = truth()
    found.events = [
        replace(one, seq={"a1": 5, "a2": 3}.get(one.reference, one.seq)) for one in found.events
    ]
    assert DISORDER in kinds(ledger(), found)


def test_finds_the_answer_to_another_question() -> None:
    found = truth()
    change(found, "a1", content="You said: Question 2")
    assert kinds(ledger(), found) == {DISORDER}


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([2, 3, 5], LOST),
        ([2, 3, 3, 4, 5], DOUBLED),
        ([3, 2, 4, 5], DISORDER),
    ],
)
def test_finds_what_a_reader_missed_or_read_twice(events: list[int], kind: str) -> None:
    promised = ledger()
    names = {2: "message", 3: "answer", 4: "message", 5: "answer"}
    promised.readers[0].events = [(number, names[number], "") for number in events]
    assert kinds(promised, truth()) == {kind}


def test_finds_a_text_that_the_pieces_did_not_make() -> None:
    promised = ledger()
    promised.readers[0].torn = ["a1"]
    assert kinds(promised, truth()) == {DISORDER}


@pytest.mark.parametrize(
    ("threads", "kind"),
    [
        ({}, LOST),
        ({THREAD: [[2, 3, 4]]}, LOST),
        ({THREAD: [[2, 3, 4, 4, 5]]}, DOUBLED),
        ({THREAD: [[2, 4, 3, 5]]}, DISORDER),
        ({THREAD: [[2, 3, 4, 5], []]}, DOUBLED),
    ],
    ids=["no thread", "missing", "twice", "order", "two threads"],
)
def test_finds_what_discord_does_not_have_or_has_twice(threads: Any, kind: str) -> None:
    found = truth()
    found.threads = threads
    assert kinds(ledger(), found) == {kind}


def test_a_row_with_a_finding_is_red() -> None:
    found = truth()
    drop(found, "a1")
    outcome = Outcome("F1", "sqlite", findings=compare(ledger(), found))
    assert not outcome.is_green
    assert counts(outcome.findings)[LOST] > 0
    assert "RED" in next(iter(outcome.lines()))
    assert Outcome("F1", "sqlite", figures="well").is_green
    assert not Outcome("F1", "sqlite", error="late").is_green


def test_a_refused_word_may_be_absent() -> None:
    promised = ledger()
    promised.words.append(Word(S, "k3", "Refused", [503]))
    assert compare(promised, truth()) == []
