"""`python -m tests.fuzzing 60 7`: a minute of made-up inputs for all that reads strangers' texts.

The second number is the seed; without it one is drawn, and printed. No input may raise anything
but what the reader promises, or take longer than its length allows."""

from __future__ import annotations

import io
import json
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

CHARACTERS = st.characters(exclude_categories=[])
# What the readers look for, so that inputs are not refused at their first character.
PIECES = st.sampled_from(
    [
        *(
            "<script>",
            "alert(",
            "' OR 1=1 --",
            "UNION SELECT",
            "{{",
            "}}",
            "../",
            "%2e%2e",
            "&#x3c;",
        ),
        *(
            "ignore all previous instructions",
            "you are now",
            "<|im_end|>",
            "```",
            "`",
            "\u200b",
            "＜",
        ),
        *(
            "@everyone",
            "https://",
            "[a](b)",
            "\r\n",
            "\u2028",
            "data: ",
            "\n\n",
            "$(",
            "; cat /etc",
        ),
        *(
            "\u202e",
            "⟦0123abcd⟧",
            "a1b2c3d4e5f6",
            "\U000e0061",
            "👩\u200d👧",
            "|",
            "#",
            "> ",
            "\ud800",
        ),
        *(
            "{" * 50,
            "[" * 50,
            "%25" * 30,
            "&amp;" * 20,
            "a@b.example",
            '"',
            "\\u0000",
            "1e999",
            "NaN",
        ),
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(CHARACTERS, max_size=40)), max_size=30).map("".join)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXTS, inner)),
    max_leaves=20,
)
BODIES = st.one_of(
    st.binary(max_size=400),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.tuples(JSON, st.integers(0, 400), st.binary(max_size=3)).map(
        lambda found: (
            (body := json.dumps(found[0]).encode())[: found[1]] + found[2] + body[found[1] :]
        )
    ),
)


@dataclass(frozen=True)
class Reader:
    """What is read, by what, and in how many milliseconds a thousand characters at most."""

    inputs: st.SearchStrategy[Any]
    read: Callable[[Any], None]
    most_ms: float


def parse(body: bytes) -> None:
    """Strict JSON, or a problem."""
    from types import SimpleNamespace

    from chatsite.core.errors import Problem
    from chatsite.core.parsers import StrictJSONParser

    context = {"request": SimpleNamespace(_request=SimpleNamespace())}
    try:
        found = StrictJSONParser().parse(io.BytesIO(body), parser_context=context)
    except Problem:
        return
    again = json.dumps(found, ensure_ascii=False).encode()
    assert StrictJSONParser().parse(io.BytesIO(again), parser_context=context) == found


def normalise(text: str) -> None:
    """One spelling that has no other, or ValueError."""
    from sessions_app import identity

    try:
        found = identity.normalise_email(text)
    except ValueError:
        return
    assert identity.normalise_email(found) == found
    assert not {"\r", "\n", " ", ",", "\0"} & set(found)


def screen(text: str) -> None:
    """Labels with the rule that fired; the same for the same text."""
    from chat_app import screening

    found = screening.screen(text)
    assert all(label.name and label.rule for label in found.labels)
    assert found == screening.screen(text)


def split(text: str) -> None:
    """Pieces that are short enough and leave nothing out."""
    from notifications import inert

    for most in (100, 4000):
        pieces = inert.pieces(text, most=most)
        assert max(map(inert.length, pieces)) <= most
        assert not any("@everyone" in piece or "](" in piece for piece in pieces)


def page(given_: tuple[str, str]) -> None:
    """Numbers that a database holds, or the name of the field."""
    from rest_framework.exceptions import ValidationError

    from chat_app.serializers import HistoryIn

    asked = HistoryIn(data={"before": given_[0], "limit": given_[1]})
    try:
        asked.is_valid(raise_exception=True)
    except ValidationError:
        assert set(asked.errors) <= {"before", "limit"}
        return
    assert 0 <= asked.validated_data["before"] < 2**63
    assert 1 <= asked.validated_data["limit"] <= 200


def encode(text: str) -> None:
    """One event, whose data is the text."""
    from chat_app import stream

    lines = stream.encode("delta", {"text": text}, 7).split("\n")
    assert lines[:2] == ["id: 7", "event: delta"]
    assert lines[3:] == ["", ""]
    assert json.loads(lines[2].removeprefix("data: ")) == {"text": text}


def render(text: str) -> None:
    """HTML without what could run."""
    from chat_app.rendering import to_html

    html = to_html(text).lower()
    assert not any(f"<{tag}" in html for tag in ("script", "img", "iframe", "svg", "style", "form"))
    assert 'href="javascript:' not in html


def guard_model(given_: tuple[str, list[int]]) -> None:
    """What a model may see, and what it may say."""
    from chat_app import guard

    text, sizes = given_
    assert guard.plain(guard.plain(text)) == guard.plain(text)
    watch = guard.Watch("a1b2c3d4e5f6", "0123abcd")
    at, out = 0, ""
    try:
        for size in [*sizes, len(text)]:
            out += watch.feed(text[at : at + size])
            at += size
        out += watch.rest()
    except guard.Leak:
        assert "a1b2" not in watch.text[-4:]
        return
    assert "a1b2c3d4e5f6" not in out.casefold()


NUMBERS = st.one_of(TEXTS, st.integers().map(str), st.text("0123456789٣１+-e.", max_size=20))
SIZES = st.lists(st.integers(0, 9), max_size=80)
READERS: dict[str, Reader] = {
    "parser": Reader(BODIES, parse, 5),
    "e-mail normaliser": Reader(
        st.one_of(TEXTS, st.emails(), st.tuples(TEXTS, TEXTS).map("@".join)), normalise, 5
    ),
    "screening": Reader(TEXTS, screen, 10),
    "splitter": Reader(TEXTS, split, 40),
    "cursors": Reader(st.tuples(NUMBERS, NUMBERS), page, 20),
    "event encoder": Reader(TEXTS, encode, 1),
    "rendering": Reader(TEXTS, render, 40),
    "model's guard": Reader(st.tuples(TEXTS, SIZES), guard_model, 10),
}


def fuzz(reader: Reader, *, examples: int, start: int, is_timed: bool) -> None:
    """Give the reader so many inputs; raises what it raises."""

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.inputs)
    def run(given_: Any) -> None:
        if not is_timed:
            reader.read(given_)
            return
        allowed = reader.most_ms * (1 + _length(given_) / 1000)
        assert min(_milliseconds(reader, given_) for _ in range(3)) <= allowed

    run()


def _milliseconds(reader: Reader, given_: Any) -> float:
    # Of this process, so that a busy machine does not count.
    began = time.process_time()
    reader.read(given_)
    return (time.process_time() - began) * 1000


def _length(given_: Any) -> int:
    return sum(map(_length, given_)) if isinstance(given_, (tuple, list)) else _size(given_)


def _size(one: Any) -> int:
    return len(one) if isinstance(one, (str, bytes)) else 1


def main(seconds: float, start: int) -> None:
    """Rounds over all readers until the time is over."""
    print(f"seed {start}", flush=True)
    counts = dict.fromkeys(READERS, 0)
    end = time.monotonic() + seconds
    for number in range(start, start + 10**6):
        for name, reader in READERS.items():
            fuzz(reader, examples=200, start=number, is_timed=True)
            counts[name] += 200
        if time.monotonic() > end:
            break
    for name, count in counts.items():
        print(f"{name:<20} {count:>8} inputs, no failure, none over its time")


if __name__ == "__main__":
    from tests import services

    services.prepare()
    django.setup()
    words = sys.argv[1:]
    main(float(words[0]), int(words[1]) if len(words) > 1 else secrets.randbelow(10**6))
