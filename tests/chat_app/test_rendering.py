"""rendering.py: Markdown as HTML of an allow-list; nothing runs, nothing is fetched."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_app import rendering
from chat_app.rendering import to_html

ALLOWED = set(
    re.findall(
        r"\w+",
        "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s strong "
        "table tbody td th thead tr ul",
    )
)
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "![pixel](https://evil.example/p.png)",
    "<a href='https://e.example' onclick=x>y</a>",
    "<style>*{}</style>",
    "<svg/onload=alert(1)>",
    '[x](https://e.example "t" onmouseover="x)',
    "```html\n<script>x</script>\n```",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><iframe src=//e>",
    '``` "><script>x</script>\n```',
    "[x]: javascript:x\n[x]",
    "<https://e.example/><javascript:x>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_lets_nothing_run_when_the_text_is_hostile(text):
    html = to_html(text)

    for tag in re.findall(r"<[^>]*>", html):
        assert re.fullmatch(r"</?[a-z0-9]+( [a-z]+=\"[^\"<>]*\")*\s*/?>", tag), tag
        assert not re.search(r"(?i)^<(script|img|svg|style|iframe)|\son\w+=|=\"(java|vb|data)", tag)


def test_marks_links_when_there_are_any():
    assert to_html("[x](https://e.example/)") == (
        '<p><a href="https://e.example/" rel="nofollow noopener noreferrer ugc">x</a></p>\n'
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* `c` ~~d~~", "<strong>a</strong> <em>b</em> <code>c</code> <s>d</s>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a", '<ol start="3">'),
        ("| a |\n|---|\n| b |", "<td>b</td>"),
        ("```python\nx\n```", '<pre><code class="language-python">x\n</code></pre>'),
        ("a < b & c", "a &lt; b &amp; c"),
    ],
)
def test_keeps_the_form_when_it_is_markdown(text, html):
    assert html in to_html(text)


def test_shows_a_link_that_leads_nobody_knows_where():
    assert to_html("[x](<http://[::1/>)").startswith("<p>")


def test_cuts_the_text_when_it_is_endless():
    assert len(to_html("x" * 200_000)) < 100_100


@given(st.text(max_size=300))
def test_has_only_allowed_tags_when_the_text_is_any(text):
    assert set(re.findall(r"</?([a-zA-Z0-9]+)", to_html(text))) <= ALLOWED


@given(st.text(alphabet="aZ09 ,.;:?!'()/%$-", max_size=30))
def test_takes_a_plain_line_for_what_markdown_makes_of_it(text):
    assert to_html(text) == rendering._render(text)
