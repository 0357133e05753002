"""Limits are explained, and waiting is done for the visitor."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.site import Site
from tests.browser.system import System

Visit = Callable[..., Chat]


def test_429_is_counted_down_and_the_message_sent_by_itself(talk: Visit, system: System) -> None:
    chat = talk(api=system.limited)
    refused = []
    chat.page.on("response", lambda r: r.status == 429 and refused.append(r.url))
    for number in range(3):
        chat.page.evaluate("(text) => chatsite.send(text)", f"quick {number}")
    expect(chat.panel.get_by_text("You can go on in")).to_be_visible()
    chat.until(lambda: len(chat.history()) == 3, 10)
    assert [row["message"] for row in chat.history()] == [f"quick {n}" for n in range(3)]
    expect(chat.panel.locator(".said.failed")).to_have_count(0)
    assert refused


def test_message_limit_is_explained_and_a_new_conversation_offered(
    talk: Visit, system: System
) -> None:
    chat = talk(api=system.limited)
    for number in range(6):
        chat.ask(f"number {number}")
        expect(chat.answers).to_have_count(number + 1, timeout=12000)
    expect(chat.panel.get_by_text("has reached its limit")).to_be_visible()
    chat.field.fill("one more")
    expect(chat.panel.get_by_role("button", name="Send")).to_be_disabled()
    chat.panel.get_by_role("button", name="New conversation").click()
    expect(chat.panel.get_by_label("E-mail address")).to_be_visible()


def test_long_text_is_counted_before_it_is_refused(talk: Visit) -> None:
    chat = talk()
    chat.field.fill("x" * 4003)
    expect(chat.panel.get_by_text("3 characters too many")).to_be_visible()
    expect(chat.panel.get_by_role("button", name="Send")).to_be_disabled()


def test_unknown_origin_is_told_what_to_set(visit: Visit, site: Site) -> None:
    chat = visit(origin=f"http://127.0.0.1:{site.port}")
    said: list[str] = []
    chat.page.on("console", lambda message: said.append(message.text))
    chat.open()
    chat.panel.get_by_label("E-mail address").fill("ada@example.com")
    chat.panel.get_by_role("checkbox").check()
    chat.panel.get_by_role("button", name="Start chat").click()
    expect(chat.panel.get_by_text("not set up for this website")).to_be_visible()
    wanted = f"set CORS_ALLOWED_ORIGINS=http://127.0.0.1:{site.port}"
    chat.until(lambda: any(wanted in text for text in said))
