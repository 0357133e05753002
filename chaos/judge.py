"""The comparison at the end: what was promised against what there is; pure.

Three things must be zero: lost, doubled, out of order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from chaos.ledger import Ledger, Reader, Word
from chaos.truth import Row, Told, Truth

LOST, DOUBLED, DISORDER = "lost", "doubled", "out of order"
_FINAL = {"done", "stopped", "failed"}
_NAMES = {"message": "message", "answer": "answer"}


@dataclass(frozen=True)
class Finding:
    """One promise that was not kept."""

    kind: str
    what: str


def compare(ledger: Ledger, truth: Truth) -> list[Finding]:
    """Everything that is not as it was promised."""
    found: list[Finding] = []
    for check in _CHECKS:
        found += check(ledger, truth)
    return found


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each kind."""
    seen = Counter(finding.kind for finding in findings)
    return {kind: seen[kind] for kind in (LOST, DOUBLED, DISORDER)}


def _words(ledger: Ledger, truth: Truth) -> Iterator[Finding]:
    """Each accepted question is there, as it was said, with its finished answer."""
    rows = {row.id: row for row in truth.rows}
    answers = {row.reply_to: row for row in truth.rows if row.reply_to}
    for word in ledger.accepted:
        row, answer = rows.get(word.message_id), answers.get(word.message_id)
        if row is None or row.content != word.text:
            yield Finding(LOST, f"question {word.text!r}")
        elif word.answer_id and (answer is None or answer.id != word.answer_id):
            yield Finding(LOST, f"the answer to {word.text!r}")
        elif answer is not None:
            yield from _answer(word, answer)


def _answer(word: Word, answer: Row) -> Iterator[Finding]:
    if answer.status not in _FINAL:
        yield Finding(LOST, f"the answer to {word.text!r} is still {answer.status}")
    elif answer.status != "stopped" and not answer.content:
        yield Finding(LOST, f"the text of the answer to {word.text!r}")
    elif answer.status == "done" and not _fits(word.text, answer):
        yield Finding(DISORDER, f"{word.text!r} got the answer {answer.content[:60]!r}")


def _fits(text: str, answer: Row) -> bool:
    """The stand-in says the question back, unless the question asked for something else."""
    return text.startswith("[") or answer.content == f"You said: {text}"


def _once(ledger: Ledger, truth: Truth) -> Iterator[Finding]:
    """Nothing is there twice, and nothing that nobody said."""
    keys = {(word.session, word.key) for word in ledger.words}
    sessions = {session for session, _ in keys}
    seen: Counter[tuple[str, str]] = Counter()
    for row in truth.rows:
        if row.kind != "user" or row.session not in sessions:
            continue
        if row.key is None or (row.session, row.key) not in keys:
            yield Finding(DOUBLED, f"nobody said {row.content!r}")
        else:
            seen[row.session, row.key] += 1
    yield from (Finding(DOUBLED, f"{key} {n} times") for key, n in seen.items() if n > 1)
    replies = Counter(row.reply_to for row in truth.rows if row.reply_to)
    yield from (Finding(DOUBLED, f"answers to {one}") for one, n in replies.items() if n > 1)


def _staff(ledger: Ledger, truth: Truth) -> Iterator[Finding]:
    """What moderators wrote reached the visitor once, in the order in which it was written."""
    said = defaultdict(list)
    for row in truth.rows:
        if row.kind == "staff":
            said[row.session].append(row.content)
    wrote = defaultdict(list)
    for session, text in ledger.staff:
        wrote[session].append(text)
    for session, texts in wrote.items():
        yield from _sequence(f"staff in {session[:8]}", texts, said[session])


def _order(ledger: Ledger, truth: Truth) -> Iterator[Finding]:
    """What one visitor said one after the other has rising numbers, and so have its answers."""
    ended = {told.reference: told.seq for told in truth.events if told.kind == "answer"}
    seqs = {row.id: row.seq for row in truth.rows}
    for session, words in _by_session(ledger.accepted):
        numbers = [seqs.get(word.message_id, 0) for word in words if not word.at_once]
        if numbers != sorted(numbers):
            yield Finding(DISORDER, f"questions of {session[:8]}: {numbers}")
        asked = sorted(words, key=lambda word: seqs.get(word.message_id, 0))
        ends = [ended[word.answer_id] for word in asked if word.answer_id in ended]
        if ends != sorted(ends):
            yield Finding(DISORDER, f"answers of {session[:8]}: {ends}")


def _log(ledger: Ledger, truth: Truth) -> Iterator[Finding]:
    """Each message and answer has one event."""
    told = Counter((one.kind, one.reference) for one in truth.events)
    yield from (
        Finding(DOUBLED, f"event {kind} {reference} {n} times")
        for (kind, reference), n in told.items()
        if n > 1 and kind in _NAMES
    )
    for word in ledger.accepted:
        if not told["message", word.message_id]:
            yield Finding(LOST, f"the event of {word.text!r}")
        if word.answer_id and not told["answer", word.answer_id]:
            yield Finding(LOST, f"the event of the answer to {word.text!r}")


def _readers(ledger: Ledger, truth: Truth) -> Iterator[Finding]:
    """Each page saw every event up to its last, once, in order, and its pieces made the texts."""
    events = defaultdict(list)
    for one in truth.events:
        if one.kind in _NAMES:
            events[one.session].append(one)
    for reader in ledger.readers:
        yield from _reader(reader, events[reader.session])


def _reader(reader: Reader, events: Sequence[Told]) -> Iterator[Finding]:
    who = f"a reader of {reader.session[:8]}"
    due = [one.seq for one in events if one.seq <= reader.cursor]
    seen = [number for number, name, _ in reader.events if name in _NAMES]
    yield from _sequence(who, due, seen)
    yield from (Finding(DISORDER, f"{who} joined another text of {one}") for one in reader.torn)


def _discord(ledger: Ledger, truth: Truth) -> Iterator[Finding]:
    """Each conversation has one thread with everything that was said, in order."""
    if truth.threads is None:
        return
    empty = {row.id for row in truth.rows if not row.content}
    due = defaultdict(list)
    for one in truth.events:
        if one.kind in _NAMES and one.reference not in truth.from_discord | empty:
            due[one.session].append(one.seq)
    for session, numbers in due.items():
        found = truth.threads.get(f"Session {session[:8]}", [])
        if len(found) > 1:
            yield Finding(DOUBLED, f"{len(found)} threads of {session[:8]}")
        notes = {one.seq for one in truth.events if one.session == session} - set(numbers)
        there = [number for number in (found[0] if found else []) if number not in notes]
        yield from _sequence(f"Discord's thread of {session[:8]}", numbers, there)


def _sequence(who: str, due: Sequence[object], found: Sequence[object]) -> Iterator[Finding]:
    """What is missing, what is there too often, and else whether the order is another."""
    missing, extra = Counter(due) - Counter(found), Counter(found) - Counter(due)
    yield from (Finding(LOST, f"{who}: {one}") for one in missing.elements())
    yield from (Finding(DOUBLED, f"{who}: {one}") for one in extra.elements())
    if not missing and not extra and list(due) != list(found):
        yield Finding(DISORDER, f"{who}: {list(found)}")


def _by_session(words: Iterable[Word]) -> Iterable[tuple[str, list[Word]]]:
    found: dict[str, list[Word]] = {}
    for word in words:
        found.setdefault(word.session, []).append(word)
    return found.items()


_CHECKS: tuple[Callable[[Ledger, Truth], Iterator[Finding]], ...] = (
    *(_words, _once, _staff, _order, _log, _readers, _discord),
)
