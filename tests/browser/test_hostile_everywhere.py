"""A15: hostile texts by everybody, in every page of the admin, an export, the widget, the demo."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.browser.chat import Chat
from tests.browser.system import ROOT, System

Visit = Callable[..., Chat]
CORPORA = Path(os.environ.get("CORPORA") or ROOT.parent / "shared" / "corpora")
AGENT = "Mozilla/5.0 <script>ran.push('agent')</script><img src=x onerror=ran.push('agent')>"
ORIGINAL = [
    "<script>alert('xss')</script>",
    "'; DROP TABLE users; --",
    "{{constructor.constructor('return process')().exit()}}",
    "../../../etc/passwd",
]
OWN = [
    "<img src=x onerror=ran.push(1)>",
    "<svg/onload=ran.push(1)><style>*{display:none}</style>",
    "</title></textarea></script><script>ran.push(1)</script>",
    '"><iframe srcdoc="<script>parent.ran.push(1)</script>">',
    "[x](javascript:ran.push(1)) ![x](https://evil.example/x.png)",
    "' autofocus onfocus=ran.push(1) x='",
    "<base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
    "<form action=//evil.example><button formaction=javascript:ran.push(1)>x",
    "</pre></article></main><math><mtext></math><a xlink:href=javascript:ran.push(1)>x",
    "\u202e<b>gpj.exe\u202c \u2028 <!-- {% csrf_token %} {{ settings.SECRET_KEY }} ${7*7}",
]
ADMIN = "/admin/sessions_app/chatsession/"
# What a text must not bring about. The admin's own pages have some of these outside of texts.
_HARM = """() => [...document.querySelectorAll(
    'iframe,object,embed,base,svg script,math,meta[http-equiv=refresh],[onerror],[onload],' +
    '[onfocus],[onclick],a[href^="javascript" i],a[href^="data:text" i],[formaction],' +
    'form[action*="evil"],img[src*="evil"],img[src="x"],script:not([src]),style:not([data-own])'
  )].filter((one) => one.type !== 'application/json').map((one) => one.outerHTML.slice(0, 200))"""


def texts() -> list[str]:
    """The original's, ours, and every text that names a sink."""
    found = [*ORIGINAL, *OWN]
    cases = CORPORA / "sink_cases.jsonl"
    if cases.is_file():
        rows = map(json.loads, cases.read_text(encoding="utf-8").splitlines())
        found += [row["text"].replace("\0", "") for row in rows if "text" in row]
    return found


@pytest.fixture
def staff(profile: Callable[..., Any], system: System, talk: Visit) -> Iterator[tuple[Any, str]]:
    """Somebody of the staff who may see all, and a conversation full of hostile texts."""
    chat = talk(profile(user_agent=AGENT))
    system.act(act="hostile", session=chat.session, texts=texts())
    chat.page.reload()
    chat.until(lambda: chat.panel.locator(".said").count() > 20)
    assert (chat.ran(), chat.page.evaluate("violations")) == ([], [])

    page = profile(base_url=f"http://127.0.0.1:{system.api}").new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", "root")
    page.fill("#id_password", "a long enough password")
    page.click("input[type=submit]")
    page.wait_for_url(f"**{ADMIN}")
    yield page, chat.session
    assert page.evaluate("ran") == []


def test_hostile_texts_do_nothing_anywhere(staff: tuple[Any, str], tmp_path: Path) -> None:
    page, session = staff
    places = [
        *(f"{ADMIN}{session}/change/", ADMIN, f"{ADMIN}?q=<img/src=x onerror=ran.push(2)>"),
        *(f"{ADMIN}dashboard/", "/", "/api/docs", "/admin/?everything=1"),
    ]
    page.goto("/admin/?everything=1")
    for model in _links(page, "main a[href^='/admin/'], #content a[href^='/admin/']"):
        page.goto(model)
        places += [model, *_links(page, "#result_list th a, #result_list td a")[:2]]
    assert len(places) > 15
    for place in dict.fromkeys(places):
        page.goto(place)
        _check(page, place)
        if session in place:
            assert ORIGINAL[0] in page.inner_text("main")

    _check_export(page, session, tmp_path / "export.html")


def _links(page: Any, selector: str) -> list[str]:
    found = page.locator(selector).evaluate_all("all => all.map((one) => one.href)")
    return [one for one in found if "logout" not in one and "/add/" not in one]


def _check(page: Any, place: str) -> None:
    assert page.evaluate("ran") == [], place
    assert page.evaluate("violations") == [], place
    assert page.evaluate(_HARM) == [], place


def _check_export(page: Any, session: str, file: Path) -> None:
    page.goto(ADMIN)
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    answer = page.request.post(
        urljoin(page.url, f"{ADMIN}export/"),
        form={"pk": session, "format": "html", "csrfmiddlewaretoken": token},
        headers={"Referer": page.url},
    )
    assert answer.ok
    file.write_text(answer.text().replace("<style>", "<style data-own>"), encoding="utf-8")
    page.goto(file.as_uri())
    assert page.locator("section").count() > 50
    _check(page, "export")
