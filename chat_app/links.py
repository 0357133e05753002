"""Links in Markdown whose labels lie: they say where they lead; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# An address in a label: with a scheme or www. anywhere, and without where it is the whole label.
_HOST = r"(?:[^\s/@]+@)?([\w-]+(?:\.[\w-]+)+)"
_ADDRESS = re.compile(rf"[a-z][a-z0-9+.-]*:/+{_HOST}|\b(www\.[\w.-]+\w)")
_WHOLE_ADDRESS = re.compile(rf"{_HOST}(?:[:/?#]\S*)?")


def unmask(state: StateCore) -> None:
    """A rule for markdown-it: a label that names another host is followed by the address."""
    for block in state.tokens:
        if block.children:
            block.children = list(_unmasked(block.children))


def _unmasked(tokens: list[Token]) -> Iterator[Token]:
    opened: Token | None = None
    label: list[Token] = []
    for token in tokens:
        if token.type == "link_open":
            opened, label = token, []
        elif token.type == "link_close" and opened:
            yield from _link(opened, label, token)
            opened = None
        elif opened:
            label.append(token)
        else:
            yield token


def _link(opened: Token, label: list[Token], closed: Token) -> Iterator[Token]:
    where = str(opened.attrs["href"])
    if not _is_masked("".join(token.content for token in label), where):
        yield from (opened, *label, closed)
        return
    yield from (*label, _text(" ("), opened, _text(where), closed, _text(")"))


def _is_masked(label: str, where: str) -> bool:
    try:
        leads = urlsplit(where)
        host = (leads.hostname or where.rpartition("@")[2]).casefold().removeprefix("www.")
    except ValueError:
        return True  # who knows where http://[ leads
    if leads.username is not None and leads.scheme != "mailto":
        return True  # https://bank.example@evil.example
    named = (name.removeprefix("www.") for name in _named(label))
    return any(name != host and not host.endswith(f".{name}") for name in named)


def _named(label: str) -> Iterator[str]:
    """The hosts that a label names."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", label) if c.isprintable()).casefold()
    found = [*_ADDRESS.finditer(seen), _WHOLE_ADDRESS.fullmatch(seen.strip(" \"'()[]<>{}.,:;!"))]
    return (name for one in found if one for name in one.groups() if name)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
