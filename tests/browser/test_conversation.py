"""Asking and being answered, on a website of another origin than the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.system import System

Visit = Callable[..., Chat]


def test_door_asks_for_address_and_consent_and_says_how_long_data_is_kept(visit: Visit) -> None:
    chat = visit()
    chat.open()
    door = chat.panel
    expect(door.get_by_label("E-mail address")).to_be_focused()
    expect(door.get_by_text("stays open for 24 hours")).to_be_visible()
    door.get_by_role("button", name="Start chat").click()
    expect(door.get_by_role("alert").filter(has_text="check the address")).to_be_visible()
    door.get_by_label("E-mail address").fill("ada@example.com")
    door.get_by_role("button", name="Start chat").click()
    expect(door.get_by_text("Please agree first")).to_be_visible()
    door.get_by_role("checkbox").check()
    door.get_by_role("button", name="Start chat").click()
    expect(chat.field).to_be_focused()


def test_door_says_what_the_page_wants_it_to_say(visit: Visit) -> None:
    chat = visit(data_consent="We may.", data_retention="A week.", data_privacy="/privacy")
    chat.open()
    expect(chat.panel.get_by_text("We may.")).to_be_visible()
    expect(chat.panel.get_by_text("A week.")).to_be_visible()
    expect(chat.panel.get_by_role("link", name="Privacy")).to_have_attribute("href", "/privacy")


def test_door_takes_the_code_that_was_sent_where_the_address_must_be_proven(
    visit: Visit, system: System
) -> None:
    chat = visit(api=system.proving())
    chat.open()
    chat.panel.get_by_label("E-mail address").fill("ada@example.com")
    chat.panel.get_by_role("checkbox").check()
    chat.panel.get_by_role("button", name="Start chat").click()
    expect(chat.panel.get_by_text("code to ada@example.com")).to_be_visible()
    right = system.act(act="mailed")
    code = chat.panel.get_by_label("Code", exact=True)
    code.fill(f"{(int(right) + 1) % 10**6:06}")
    chat.panel.get_by_role("button", name="Continue").click()
    expect(chat.panel.get_by_text("not right, or too old")).to_be_visible()
    code.fill(right)
    chat.panel.get_by_role("button", name="Continue").click()
    expect(chat.field).to_be_visible()
    assert chat._session()["verified"]
    chat.ask("hello")
    expect(chat.answers.last).to_contain_text("You said: hello")


def test_answer_is_streamed_then_shown_as_safe_markdown(talk: Visit, system: System) -> None:
    chat = talk()
    chat.ask("#words40-held0 dots")
    expect(chat.answers.locator(".dots")).to_be_visible()
    system.release("#words40-held0 dots")
    expect(chat.panel.locator(".said.done .body")).to_contain_text("word39")
    chat.ask("#words40-held20 pieces")
    expect(chat.panel.locator(".said.running .body")).to_contain_text("word19")
    assert "word20" not in chat.answers.last.inner_text()
    system.release("#words40-held20 pieces")
    expect(chat.panel.locator(".said.running")).to_have_count(0)
    expect(chat.answers.last).to_contain_text("word39")
    chat.ask("**bold** and `code`")
    expect(chat.answers.last.locator("strong")).to_have_text("bold")
    expect(chat.answers.last.locator("code")).to_have_text("code")


def test_message_is_shown_before_the_api_has_it_and_posted_with_one_key(talk: Visit) -> None:
    chat = talk()
    keys = []
    chat.page.on("request", lambda r: keys.append(r.headers.get("idempotency-key")))
    chat.page.route("**/chat", lambda route: (chat.page.wait_for_timeout(400), route.continue_()))
    chat.ask("hello")
    expect(chat.panel.locator(".said.visitor.sending")).to_contain_text("hello")
    expect(chat.panel.locator(".said.visitor.sent")).to_contain_text("hello")
    expect(chat.answers.last).to_contain_text("You said: hello")
    assert len([key for key in keys if key]) == 1
    assert [row["message"] for row in chat.history()] == ["hello"]


def test_stop_keeps_the_text_so_far(talk: Visit) -> None:
    chat = talk()
    chat.ask("#words200-held100 stop")
    expect(chat.panel.locator(".said.running .body")).to_contain_text("word99")
    chat.panel.get_by_role("button", name="Stop the answer").click()
    expect(chat.panel.locator(".said.stopped")).to_contain_text("Stopped")
    shown = chat.answers.locator(".body").inner_text().strip()
    stored = chat.until(lambda: [r for r in chat.history() if r["status"] == "stopped"])
    assert stored[0]["response"].strip() == shown
    expect(chat.panel.get_by_role("button", name="Send")).to_be_visible()


def test_unread_answers_are_counted_while_closed_and_seen_when_opened(
    talk: Visit, system: System
) -> None:
    chat = talk()
    chat.ask("hello")
    expect(chat.panel.locator(".said.done")).to_contain_text("You said")
    chat.page.keyboard.press("Escape")
    expect(chat.launcher).to_be_focused()
    system.act(act="say", session=chat.session, text="One moment, please.")
    expect(chat.launcher).to_have_accessible_name("Open chat, 1 unread")
    chat.page.reload()
    expect(chat.launcher).to_have_accessible_name("Open chat, 1 unread")
    chat.open()
    expect(chat.panel.locator(".said.staff")).to_contain_text("One moment, please.")
    chat.page.keyboard.press("Escape")
    expect(chat.launcher).to_have_accessible_name("Open chat")


def test_person_takes_over_writes_and_hands_back(talk: Visit, system: System) -> None:
    chat = talk()
    chat.ask("hello")
    expect(chat.panel.locator(".said.done")).to_contain_text("You said")
    system.act(act="respond", session=chat.session, responder="human")
    expect(chat.panel.get_by_text("A person is with you")).to_be_visible()
    expect(chat.panel.locator(".said.system")).to_contain_text("has joined")
    chat.ask("are you real?")
    expect(chat.panel.locator(".said.visitor.sent").last).to_contain_text("real")
    system.act(act="say", session=chat.session, text="I am *Kim*.")
    expect(chat.panel.locator(".said.staff em")).to_have_text("Kim")
    expect(chat.panel.locator(".said.staff .who")).not_to_be_empty()
    expect(chat.answers).to_have_count(1)
    system.act(act="respond", session=chat.session, responder="ai")
    expect(chat.panel.locator(".said.system").last).to_contain_text("assistant answers again")
    chat.ask("and now?")
    expect(chat.answers.last).to_contain_text("You said: and now?")


def test_what_staff_correct_or_take_back_is_shown_so(talk: Visit, system: System) -> None:
    chat = talk()
    said = system.act(act="say", session=chat.session, text="Monday.", author="Kim")
    message = chat.panel.locator(".said.staff")
    expect(message).to_contain_text("Monday.")
    expect(message.locator(".who")).to_contain_text("Kim")
    system.act(act="edit", session=chat.session, message=said, text="Tuesday.")
    expect(message).to_contain_text("Tuesday.")
    system.act(act="take_back", session=chat.session, message=said)
    expect(message).to_have_count(0)


def test_answer_in_the_making_gives_way_to_a_person(talk: Visit, system: System) -> None:
    chat = talk()
    chat.ask("#words200-held100 give way")
    expect(chat.panel.locator(".said.running .body")).to_contain_text("word3")
    system.act(act="say", session=chat.session, text="I will help.")
    expect(chat.panel.locator(".said.staff")).to_contain_text("I will help.")
    expect(chat.answers).to_have_count(0)


def test_person_who_writes_is_shown_to_write(talk: Visit, system: System) -> None:
    chat = talk()
    writing = chat.panel.locator(".said.staff")

    def is_shown() -> bool:
        # Told to who watches just now and stored nowhere: the stream may not be open yet.
        system.act(act="writes", session=chat.session)
        return writing.is_visible()

    chat.until(is_shown)
    expect(writing).to_contain_text("A person is writing")
    system.act(act="say", session=chat.session, text="Here I am.")
    expect(writing).to_have_count(1)
    expect(writing).to_contain_text("Here I am.")


def test_history_is_loaded_on_scroll_in_order_and_once(talk: Visit, system: System) -> None:
    chat = talk()
    system.act(act="fill", session=chat.session, pairs=75)
    chat.page.reload()
    log = chat.panel.get_by_role("log")
    expect(log).to_contain_text("Answer 74")
    assert "Question 20 " not in log.inner_text()
    for _ in range(12):
        log.evaluate("(log) => { log.scrollTop = 0; }")
        chat.page.wait_for_timeout(60)
    expect(log).to_contain_text("Question 0")
    asked = re.findall(r"Question (\d+)", log.inner_text())
    assert [int(number) for number in asked] == list(range(75))


def test_copy_gives_the_text_of_a_message(profile: Callable[..., Any], talk: Visit) -> None:
    context = profile(permissions=["clipboard-read", "clipboard-write"])
    chat = talk(context)
    chat.ask("**bold**")
    expect(chat.answers.locator("strong")).to_be_visible()
    chat.answers.last.hover()
    chat.answers.last.get_by_role("button", name="Copy").click()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "You said: **bold**"


def test_ending_forgets_the_conversation(talk: Visit) -> None:
    chat = talk()
    chat.ask("a secret")
    expect(chat.answers.last).to_contain_text("a secret")
    token = chat.token
    chat.panel.get_by_role("button", name="End conversation").click()
    chat.panel.get_by_role("group").get_by_role("button", name="End conversation").click()
    expect(chat.panel.get_by_label("E-mail address")).to_be_visible()
    kept = chat.page.evaluate("JSON.stringify(localStorage)")
    assert token not in kept
    assert "secret" not in chat.page.locator("chatsite-widget .root").inner_text()
