"""The widget as a guest on a page: policies, methods, languages, directions, phones, axe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.system import System

Visit = Callable[..., Chat]
AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js").read_text(encoding="utf-8")


def test_strict_csp_reports_nothing(talk: Visit, system: System) -> None:
    api = f"http://127.0.0.1:{system.api}"
    policy = f"default-src 'self' {api}; require-trusted-types-for 'script'; trusted-types chatsite"
    chat = talk(csp=policy)
    chat.ask("**hello** <b>there</b>")
    expect(chat.answers.locator("strong")).to_have_text("hello")
    assert chat.page.evaluate("violations") == []
    assert chat.ran() == []


def test_calls_before_load_wait_for_it(visit: Visit) -> None:
    chat = visit(queue="1")
    expect(chat.panel).to_be_visible()
    chat.sign_in()
    chat.ask("hello")
    chat.until(lambda: chat.page.evaluate("heard.length"))
    assert chat.page.evaluate("heard") == ["You said: hello"]


def test_methods_open_send_identify_reset_close(visit: Visit) -> None:
    chat = visit()
    chat.page.wait_for_function("typeof window.chatsite?.boot === 'function'")
    chat.page.evaluate("void chatsite.on('session', (state) => { window.state = state; })")
    chat.page.evaluate("chatsite.send('waiting for sign-in')")
    expect(chat.panel).to_be_visible()
    assert chat.page.evaluate("chatsite.identify({ email: 'ada@example.com' })") == "signed_in"
    expect(chat.answers.last).to_contain_text("You said: waiting for sign-in")
    chat.page.evaluate("chatsite.reset()")
    expect(chat.panel.get_by_label("E-mail address")).to_be_visible()
    assert chat.page.evaluate("state") == "reset"
    chat.page.evaluate("chatsite.close()")
    expect(chat.panel).to_be_hidden()


def test_two_copies_are_one(visit: Visit) -> None:
    chat = visit(copies="2")
    chat.open()
    expect(chat.page.locator("chatsite-widget")).to_have_count(1)


def test_manual_page_boots_with_its_options(visit: Visit) -> None:
    chat = visit(data_manual="")
    chat.page.wait_for_function("typeof window.chatsite?.boot === 'function'")
    expect(chat.page.locator("chatsite-widget")).to_have_count(0)
    chat.page.evaluate("chatsite.boot({ name: 'Ask us', texts: { en: { start: 'Go' } } }).open()")
    expect(chat.panel.get_by_role("heading", name="Ask us")).to_be_visible()
    expect(chat.panel.get_by_role("button", name="Go")).to_be_visible()


def test_client_side_routing_is_survived(talk: Visit) -> None:
    chat = talk()
    chat.ask("#words50-gap0.03 please")
    chat.page.evaluate("""() => {
      history.pushState({}, '', '/elsewhere');
      const body = document.createElement('body');
      body.append('Another page');
      document.documentElement.replaceChild(body, document.body);
    }""")
    expect(chat.answers.last).to_contain_text("word49")
    expect(chat.page.locator("chatsite-widget")).to_have_count(1)


def test_open_panel_is_open_on_the_next_page_without_taking_the_focus(talk: Visit) -> None:
    chat = talk()
    chat.page.reload()
    expect(chat.panel).to_be_visible()
    assert chat.page.evaluate("document.activeElement === document.body")


def test_german_page_gets_german(visit: Visit) -> None:
    chat = visit(lang="de-AT")
    expect(chat.launcher).to_have_accessible_name("Chat öffnen")
    chat.open()
    expect(chat.panel.get_by_label("E-Mail-Adresse")).to_be_visible()


def test_right_to_left_page_is_mirrored(visit: Visit) -> None:
    chat = visit(lang="ar", dir="rtl")
    chat.open()
    expect(chat.page.locator("chatsite-widget .root")).to_have_attribute("dir", "rtl")
    heading, close = (
        chat.panel.get_by_role(role, name=name).bounding_box()
        for role, name in (("heading", "Chat with us"), ("button", "Close chat"))
    )
    assert heading
    assert close
    assert close["x"] < heading["x"]


@pytest.mark.parametrize(
    ("accent", "readable"), [("#ffd400", "lab(0 0 0)"), ("#7a1fa2", "lab(100 0 0)")]
)
def test_accent_of_any_lightness_stays_readable(visit: Visit, accent: str, readable: str) -> None:
    chat = visit(data_accent=accent, data_position="left")
    expect(chat.launcher).to_have_css("color", readable)
    box = chat.launcher.bounding_box()
    assert box
    assert box["x"] < 100


def test_keyboard_alone_is_enough(talk: Visit) -> None:
    chat = talk()
    expect(chat.field).to_be_focused()
    chat.page.keyboard.type("one")
    chat.page.keyboard.press("Shift+Enter")
    chat.page.keyboard.type("two")
    chat.page.keyboard.press("Enter")
    expect(chat.said.first.locator(".body")).to_have_text("one\ntwo")
    expect(chat.field).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(chat.field).to_be_focused()


def test_sentences_are_announced_not_tokens(talk: Visit) -> None:
    chat = talk()
    chat.page.evaluate("""() => {
      window.told = [];
      const root = document.querySelector('chatsite-widget').shadowRoot;
      const live = root.querySelector('.root > .hidden');
      new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach(
        (node) => told.push(node.textContent)))).observe(live, { childList: true });
    }""")
    chat.ask("#echo-gap0.05 First one here. Then another one. And an end")
    expect(chat.panel.locator(".said.done.assistant")).to_be_visible()
    told = chat.page.evaluate("told")
    assert 2 <= len(told) <= 5
    assert told[0].startswith("Assistant: ")
    assert " ".join(told).endswith("And an end")
    expect(chat.panel.get_by_role("log")).to_have_attribute("aria-live", "off")


def test_reduced_motion_is_respected(profile: Callable[..., Any], talk: Visit) -> None:
    chat = talk(profile(reduced_motion="reduce"))
    expect(chat.panel).to_have_css("animation-name", "none")


PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def test_phone_is_filled_and_the_keyboard_leaves_the_field_in_sight(
    profile: Callable[..., Any], talk: Visit
) -> None:
    chat = talk(profile(**PHONE, device_scale_factor=2))
    assert chat.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    expect(chat.launcher).to_be_hidden()
    expect(chat.panel).to_have_attribute("aria-modal", "true")
    chat.page.set_viewport_size({"width": 390, "height": 460})  # as when the keyboard is there
    expect(chat.field).to_be_in_viewport(ratio=1)
    box = chat.panel.bounding_box()
    assert box
    assert box["height"] == 460
    assert (
        float(chat.field.evaluate("(field) => parseFloat(getComputedStyle(field).fontSize)")) >= 16
    )
    for _ in range(12):
        chat.page.keyboard.press("Tab")
        assert chat.page.evaluate("document.activeElement.localName") != "a"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(
    profile: Callable[..., Any],
    visit: Visit,
    system: System,
    scheme: str,
    device: dict[str, Any],
) -> None:
    chat = visit(profile(color_scheme=scheme, **device), data_suggestions="One|Two")
    assert _axe(chat) == []
    chat.open()
    chat.page.wait_for_timeout(300)
    assert _axe(chat) == []
    chat.sign_in()
    assert _axe(chat) == []
    chat.ask("# Title\n\n- one [link](https://example.com)\n\n```\ncode\n```\n> quote `x`")
    expect(chat.answers.locator("li, h1")).not_to_have_count(0)
    system.act(act="respond", session=chat.session, responder="human")
    system.act(act="say", session=chat.session, text="A [link](https://example.com) of mine")
    expect(chat.panel.locator(".said.staff")).to_be_visible()
    chat.page.route("**/chat", lambda route: route.fulfill(status=500, headers=_CORS, json={}))
    chat.ask("fails")
    expect(chat.panel.locator(".said.failed")).to_be_visible()
    assert _axe(chat) == []


_CORS = {"Access-Control-Allow-Origin": "*"}


def _axe(chat: Chat) -> list[str]:
    """What axe finds in the widget: rules with their elements; all impacts, not only serious."""
    chat.page.evaluate(AXE)
    found = chat.page.evaluate("axe.run(document.querySelector('chatsite-widget'))")
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_demo_page_works_under_the_strict_csp_of_pages(
    profile: Callable[..., Any], system: System
) -> None:
    page = profile().new_page()
    page.goto(f"http://127.0.0.1:{system.api}/")
    chat = Chat(page, f"http://127.0.0.1:{system.api}")
    chat.sign_in()
    chat.panel.get_by_role("button", name="How long does delivery take?").click()
    expect(chat.answers.last).to_contain_text("You said: How long does delivery take?")
    assert page.evaluate("violations") == []
    expect(page.get_by_role("link", name="API")).to_have_attribute("href", "/api/docs")
    page.evaluate(AXE)
    assert [rule["id"] for rule in page.evaluate("axe.run()")["violations"]] == []
