"""Hostile and innocent texts, sent and shown in a real browser: nothing runs, nothing is changed.

A sample in the quick run; with CHATSITE_FULL=1 every text of the corpora, in bounded time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.system import ROOT, System

Visit = Callable[..., Chat]

CORPORA = Path(os.environ.get("CORPORA") or ROOT.parent / "shared" / "corpora")
QUICK_EVERY = 100
PAGES_OF = 150
OWN = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1)) ![x](https://evil.example/?q=1) <https://example.com>",
    '" autofocus onfocus=alert(1) x="',
    "</textarea><script>alert(1)</script>",
    "<svg/onload=alert(1)><style>*{display:none}</style>",
    "&lt;b&gt; &amp; &copy;",
    "| a | b |\n|---|---|\n| <iframe srcdoc='<script>alert(1)</script>'> | 2 |",
    "```html\n<script>alert(1)</script>\n```",
    "data: x\n\nevent: message\ndata: {}\n\n",
]

# Elements that no message may bring about, whatever it says.
_FORBIDDEN = "script,style,img,iframe,object,embed,form,input,video,audio,link,meta,base,svg *"
_LOOK = f"""() => {{
  const root = document.querySelector('chatsite-widget').shadowRoot;
  const bodies = [...root.querySelectorAll('.said .body')];
  const harm = bodies.flatMap((body) => [
    ...[...body.querySelectorAll('{_FORBIDDEN}')].map((found) => found.outerHTML),
    ...[...body.querySelectorAll('*')].flatMap((element) => [...element.attributes]
      .filter(({{ name, value }}) => name.startsWith('on') || name === 'style'
        || /^\\s*(javascript|data|vbscript):/i.test(value))
      .map(({{ name, value }}) => `${{name}}=${{value}}`)),
  ]);
  const texts = [...root.querySelectorAll('.said.visitor .body')].map((body) => body.textContent);
  return {{ harm, texts, ran, violations }};
}}"""


def test_sent_texts_are_shown_as_they_are_and_nothing_runs(talk: Visit) -> None:
    api = talk().api
    chat = talk(csp=f"default-src 'self' {api}")
    texts = [*OWN, *_corpus(QUICK_EVERY * 8)]
    for text in texts:
        chat.page.evaluate("(text) => chatsite.send(text)", text)
    expect(chat.panel.locator(".said.done.assistant")).to_have_count(len(texts), timeout=30000)
    _check(chat.page.evaluate(_LOOK), texts)


def test_stored_texts_are_shown_as_they_are_and_nothing_runs(talk: Visit, system: System) -> None:
    """What anyone said, by any way, from the history: questions, answers and words of staff."""
    texts = [*OWN, *_corpus(1 if os.environ.get("CHATSITE_FULL") else QUICK_EVERY)]
    chat = talk(csp=f"default-src 'self' http://127.0.0.1:{system.api}")
    for start in range(0, len(texts), PAGES_OF):
        batch = texts[start : start + PAGES_OF]
        chat.page.evaluate("chatsite.reset()")
        chat.sign_in()
        system.act(act="quote", session=chat.session, texts=batch)
        chat.page.reload()
        # Three in each pair: asked, answered, and said by staff.
        chat.until(lambda batch=batch: _all_loaded(chat, len(batch)), 40)
        _check(chat.page.evaluate(_LOOK), batch)


def _all_loaded(chat: Chat, number: int) -> bool:
    log = chat.panel.get_by_role("log")
    log.evaluate("(log) => { log.scrollTop = 1; log.scrollTop = 0; }")
    return chat.panel.locator(".said.visitor").count() == number


def _check(found: dict[str, Any], texts: list[str]) -> None:
    assert found["harm"] == []
    assert found["ran"] == []
    assert found["violations"] == []
    assert found["texts"] == texts


def _corpus(every: int) -> list[str]:
    """Texts that the API takes: up to 4,000 characters, which say something."""
    if not CORPORA.is_dir():
        pytest.skip("the corpora are not on this machine")
    rows = [
        json.loads(line)
        for name in ("attacks.jsonl", "benign.jsonl")
        for line in (CORPORA / name).read_text(encoding="utf-8").splitlines()[::every]
    ]
    sinks = (CORPORA / "sink_cases.jsonl").read_text(encoding="utf-8").splitlines()
    rows += [json.loads(line) for line in sinks]
    return [text for row in rows if _is_taken(text := row.get("text", ""))]


def _is_taken(text: str) -> bool:
    return bool(text.strip()) and len(text) <= 4000 and "\0" not in text
