"""Hostile and innocent texts, sent and shown in a real browser: nothing runs, nothing is changed.

Ours in the suite; `make corpora CORPORA=folder` shows every text of the folder's JSON lines, in the
widget and on every page of the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser import corpora
from tests.browser.chat import Chat
from tests.browser.system import System

Visit = Callable[..., Chat]

PAGES_OF = 150
SENT_EVERY = 800

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
    texts = [text for text in corpora.texts(SENT_EVERY) if corpora.is_taken(text)]
    for text in texts:
        chat.page.evaluate("(text) => chatsite.send(text)", text)
    expect(chat.panel.locator(".said.done.assistant")).to_have_count(len(texts), timeout=60000)
    _check(chat.page.evaluate(_LOOK), texts)


def test_stored_texts_are_shown_as_they_are_and_nothing_runs(talk: Visit, system: System) -> None:
    """What anyone said, by any way, from the history: questions, answers and words of staff."""
    texts = [text for text in corpora.texts() if corpora.is_taken(text)]
    chat = talk(csp=f"default-src 'self' http://127.0.0.1:{system.api}")
    for start in range(0, len(texts), PAGES_OF):
        batch = texts[start : start + PAGES_OF]
        chat.page.evaluate("chatsite.reset()")
        chat.sign_in()
        system.act(act="quote", session=chat.session, texts=batch)
        chat.page.reload()
        # Three in each pair: asked, answered, and said by staff.
        chat.until(lambda batch=batch: _all_loaded(chat, len(batch)), 60)
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
