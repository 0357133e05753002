"""Text to HTML that is safe to insert: Markdown, then an allow-list."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

# No raw HTML in, no images out: a remote image tells its host who reads what.
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_markdown.disable("image")

_TAGS = frozenset({"a", "blockquote", "br", "code", "del", "em", "hr", "pre", "s", "strong"}) | {
    *("h1", "h2", "h3", "h4", "h5", "h6"),
    *("li", "ol", "p", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}}
_SCHEMES = frozenset({"http", "https", "mailto"})
_MOST_CHARACTERS = 100_000


def to_html(text: str) -> str:
    """`text`, read as Markdown, as HTML of an allow-list of tags; longer than 100,000 is cut."""
    html: str = _markdown.render(text[:_MOST_CHARACTERS])
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes=set(_SCHEMES),
        link_rel="nofollow noopener noreferrer ugc",
        filter_style_properties=set(),
    )
