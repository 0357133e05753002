"""Text to HTML that is safe to insert: Markdown, then an allow-list."""

from __future__ import annotations

import functools
import re

import nh3
from markdown_it import MarkdownIt

from chat_app import links

# No raw HTML in, no images out: a remote image tells its host who reads what.
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_markdown.disable("image")
_markdown.core.ruler.push("unmask", links.unmask)

_TAGS = frozenset({"a", "blockquote", "br", "code", "del", "em", "hr", "pre", "s", "strong"}) | {
    *("h1", "h2", "h3", "h4", "h5", "h6"),
    *("li", "ol", "p", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
_ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}, "code": {"class"}}
_SCHEMES = frozenset({"http", "https", "mailto"})
_MOST_CHARACTERS = 100_000


_cleaner = nh3.Cleaner(
    tags=set(_TAGS),
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    url_schemes=set(_SCHEMES),
    link_rel="nofollow noopener noreferrer ugc",
    filter_style_properties=set(),
)
# One line, which begins with a letter and in which nothing means anything to Markdown or HTML.
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ,.;:?!'()/%$-]*[A-Za-z0-9,.;:?!'()/%$-])?")
# The same text is shown by the answer, the stream and the history; two megabytes at the very most.
_MOST_KEPT = 500
_LONGEST_KEPT = 1_000


def to_html(text: str) -> str:
    """`text`, read as Markdown, as HTML of an allow-list of tags; longer than 100,000 is cut."""
    if len(text) <= _LONGEST_KEPT:
        return _kept(text)
    return _render(text[:_MOST_CHARACTERS])


@functools.lru_cache(maxsize=_MOST_KEPT)
def _kept(text: str) -> str:
    return f"<p>{text}</p>\n" if _PLAIN.fullmatch(text) else _render(text)


def _render(text: str) -> str:
    html: str = _markdown.render(text)
    return _cleaner.clean(html.encode("utf-8", "replace").decode())  # half characters are none
