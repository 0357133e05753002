"""Embeds and inert text, over the corpora, the sink cases and examples of our own."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import embeds, inert
from notifications.embeds import Card, Said
from tests.notifications.conftest import corpus
from tests.standins import discord_spec

NOW = datetime(2026, 11, 23, tzinfo=UTC)
# What Discord's clients act on; a backslash before the first character takes its meaning away.
_ACTIVE = {
    "mention": re.compile(
        r"@(?:everyone|here)|<(?:@[!&]?|#|/[^>]*:|t:|a?:\w+:|id:)\d*", re.IGNORECASE
    ),
    "link": re.compile(r"https?://", re.IGNORECASE),
    "masked link": re.compile(r"\]\("),
    "invite": re.compile(r"discord(?:app)?\.(?:gg|com/invite)", re.IGNORECASE),
    "markup": re.compile(r"(?<!\\)(?:\\\\)*[*_~|`\[]"),
    "heading, quote, list": re.compile(r"^\s*(?:#{1,3}\s|>|-#|[-+*]\s|\d+[.)]\s)", re.MULTILINE),
    "direction": re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]"),
}
_EXAMPLES = [
    "<@!123> <@&1> <id:customize> <a:b:1> </say hi:123>",
    "@EVERYONE @Here \uff20everyone",
    "1. one\n2) two\n- three\n* four\n+ five\n> six\n>>> seven\n-# small\n### big",
    "HTTPS://EVIL.EXAMPLE ftp://x steam://run discord.com/invite/abc DISCORD.GG/x",
    "\\@everyone \\\\[x](y) \\`",
    "line\u2028separator\u2029and\u0085more\r\nend\rlast\x0b\x0c",
    "\x1b[31mred \x9b1m \u202e\u2066 \x00",
    "👩‍👩‍👧‍👦" * 900,
    "🇩🇪" * 2000 + "e\u0301" * 1000,
    "a" * 4000 + "`" * 4000,
    "\ud800 lone",
    "   \n\n  ",
]


def _texts() -> list[str]:
    rows = [*corpus("sink_cases"), *corpus("attacks"), *corpus("benign")]
    return [row["text"] for row in rows if "text" in row]


def _is_inert(text: str) -> list[str]:
    return [name for name, pattern in _ACTIVE.items() if pattern.search(text)]


def _shown(text: str) -> str:
    """What a reader sees of a defused text."""
    bare = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text)
    return bare.replace(inert.ZERO_WIDTH, "")


def _typed(text: str) -> str:
    lines = re.sub("\r\n?|[\x0b\x0c\u0085\u2028\u2029]", "\n", text)
    seen = inert._UNSEEN.sub(inert._name, lines)
    return seen.replace(inert.ZERO_WIDTH, "")


def _check(text: str) -> None:
    pieces = inert.pieces(text, most=4000)
    for piece in pieces:
        assert not _is_inert(piece), (_is_inert(piece), piece[:200])
        assert inert.length(piece) <= 4000
    assert "".join(map(_shown, pieces)) == _typed(text)


@pytest.mark.no_cover  # many rounds of the same lines: tracing makes them slow
def test_texts_of_the_corpora_are_inert_and_whole() -> None:
    texts = _texts()
    if not texts:
        pytest.skip("the corpora are not beside the project")
    for text in texts:
        _check(text)


@pytest.mark.parametrize("text", _EXAMPLES)
def test_our_examples_are_inert_and_whole(text: str) -> None:
    _check(text)


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from("@#<>[]()*_~|`\\\n -+.1a:/\u200d\u202e🚀\u0301everyoneh"),
        max_size=300,
    )
)
def test_any_text_is_inert_and_whole(text: str) -> None:
    _check(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.integers(40, 200))
def test_pieces_hold_their_length(text: str, most: int) -> None:
    pieces = inert.pieces(text, most=most)
    assert "".join(map(_shown, pieces)) == _typed(text)
    # A single character as people see it may cost more than so small a piece.
    assert all(inert.length(piece) <= max(most, 320) for piece in pieces)


def test_pieces_hold_their_length_when_controls_stand_before_brackets() -> None:
    for piece in inert.pieces("\x1f(" * 500, most=100):
        assert inert.length(piece) <= 100


def test_no_piece_begins_inside_a_character() -> None:
    for piece in inert.pieces("👩‍👩‍👧‍👦" * 2000, most=4000):
        assert piece.startswith("👩")
    for piece in inert.pieces("e\u0301" * 5000, most=4000):
        assert not unicodedata.combining(piece[0])


def test_pieces_end_where_a_line_or_word_does() -> None:
    text = "word " * 1500
    assert all(piece.endswith(" ") for piece in inert.pieces(text, most=4000))


def _said(text: str, kind: str = "user") -> Said:
    return Said(seq=7, message_id="m" * 22, kind=kind, text=text, when=NOW, author="Dana")


@pytest.mark.skipif(not discord_spec.is_there(), reason=discord_spec.MISSING)
@pytest.mark.parametrize("kind", ["user", "assistant", "staff", "system"])
def test_every_post_is_valid(kind: str) -> None:
    spec = discord_spec.shared()
    for text in [*_EXAMPLES, *_texts()[::97]]:
        for post in embeds.message(_said(text, kind)):
            body = {"embeds": [post.embed], "allowed_mentions": {"parse": []}}
            assert not spec.request("POST", "/channels/123456789012345678/messages", {}, body)


def test_every_part_of_a_text_names_its_message_and_place() -> None:
    posts = embeds.message(_said("x" * 9000))
    assert [post.marker for post in posts] == ["#7 · 1/3", "#7 · 2/3", "#7 · 3/3"]
    assert all(post.embed["fields"][0]["value"] == "m" * 22 for post in posts)
    assert posts[0].embed["title"] == "👤 User Message"
    assert posts[1].embed["title"] == "👤 User Message (continued 2/3)"


def _card(**changes: object) -> Card:
    told = {
        "session_id": "s" * 32,
        "created_at": NOW,
        "email": "a…@example.com",
        "address": "",
        "shows_personal_data": False,
        "is_verified": False,
        "earlier": 0,
        "has_person": False,
        "holder": "",
        "is_active": True,
        "closed_by": "",
    }
    return Card(**{**told, **changes})  # type: ignore[arg-type]


def test_the_card_hides_what_is_personal_unless_told() -> None:
    hidden = embeds.card(_card())
    assert [one["name"] for one in hidden.embed["fields"]][:3] == [
        "Session ID",
        "Email",
        "Answered by",
    ]
    assert "Reveal" in [button.label for button in hidden.buttons]
    shown = embeds.card(_card(shows_personal_data=True, address="192.0.2.7", email="a@b.example"))
    fields = {one["name"]: one["value"] for one in shown.embed["fields"]}
    assert fields["IP Address"] == "192.0.2.7"
    assert "Reveal" not in [button.label for button in shown.buttons]


@pytest.mark.parametrize(
    ("closed_by", "words"),
    [
        ("staff:*Dana*", "closed by \\*Dana\\*"),
        ("visitor", "ended by the visitor"),
        ("expiry", "expired"),
        ("block", "blocked"),
        ("", "closed"),
    ],
)
def test_the_card_says_how_it_ended(closed_by: str, words: str) -> None:
    post = embeds.card(
        _card(is_active=False, closed_by=closed_by, earlier=2, admin_url="https://x/")
    )
    assert words in str(post.embed["fields"]).replace("\\\\", "\\")
    assert [button.label for button in post.buttons] == ["Reopen", "Reveal", "Open in admin"]
