"""Reloads, lost networks, other tabs, ended sessions: nothing lost, nothing shown twice."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.system import System

Visit = Callable[..., Chat]

# 100 in the bounded run (CHATSITE_FULL=1), some in the quick one.
RELOADS = 100 if os.environ.get("CHATSITE_FULL") else 12


def test_reloads_at_random_moments_end_with_what_is_stored_and_show_nothing_twice(
    talk: Visit,
) -> None:
    chat = talk()
    chances = random.Random(8)
    asked = 0
    for _ in range(RELOADS):
        if asked < 20 and not chat.panel.locator(".said.running, .said.queued").count():
            chat.ask(f"#words60-gap0.02 number {asked}")
            asked += 1
        chat.page.wait_for_timeout(chances.uniform(0, 700))
        chat.page.reload()
        twice = [key for key, times in Counter(chat.shown()).items() if times > 1]
        assert twice == []
    stored = chat.until(lambda: _all_ended(chat), 30)
    assert [row["status"] for row in stored] == ["done"] * asked
    expect(chat.panel.locator(".said.running")).to_have_count(0)
    expected = [text.strip() for row in stored for text in (row["message"], row["response"])]
    chat.until(lambda: [text.strip() for text in chat.texts()] == expected)
    assert [row["message"] for row in stored] == [
        f"#words60-gap0.02 number {number}" for number in range(asked)
    ]


def _all_ended(chat: Chat) -> Any:
    rows = chat.history()
    return rows if not {row["status"] for row in rows} & {"queued", "running"} else None


def test_message_sent_as_the_page_goes_is_posted_once(talk: Visit) -> None:
    chat = talk()
    for number in range(4):
        chat.ask(f"number {number}")
        chat.page.reload()
        expect(chat.field).to_be_visible()
    stored = chat.until(lambda: len(chat.history()) == 4 and _all_ended(chat), 12)
    assert [row["message"] for row in stored] == [f"number {number}" for number in range(4)]
    expect(chat.panel.locator(".said.visitor.sent")).to_have_count(4)
    expect(chat.answers).to_have_count(4)


def test_offline_says_so_keeps_what_is_written_and_sends_it_later(
    profile: Callable[..., Any], talk: Visit
) -> None:
    context = profile()
    chat = talk(context)
    context.set_offline(True)
    expect(chat.panel.get_by_text("You are offline")).to_be_visible()
    chat.ask("written offline")
    failed = chat.panel.locator(".said.visitor.failed")
    expect(failed).to_contain_text("Not sent")
    expect(failed.get_by_role("button", name="Retry")).to_be_visible()
    context.set_offline(False)
    expect(chat.answers.last).to_contain_text("You said: written offline")
    expect(chat.panel.locator(".banner")).to_be_hidden()
    assert [row["message"] for row in chat.history()] == ["written offline"]


def test_failed_message_can_be_retried_or_discarded(talk: Visit) -> None:
    chat = talk()
    refuse = lambda route: route.fulfill(  # noqa: E731
        status=500, json={"code": "internal_error"}, headers={"Access-Control-Allow-Origin": "*"}
    )
    chat.page.route("**/chat", refuse)
    chat.ask("first")
    chat.ask("second")
    failed = chat.panel.locator(".said.failed")
    expect(failed).to_have_count(2)
    chat.page.unroute("**/chat", refuse)
    failed.filter(has_text="second").get_by_role("button", name="Discard").click()
    failed.filter(has_text="first").get_by_role("button", name="Retry").click()
    expect(chat.answers.last).to_contain_text("You said: first")
    assert [row["message"] for row in chat.history()] == ["first"]


def test_killed_web_process_is_survived_mid_answer(talk: Visit, system: System) -> None:
    chat = talk()
    chat.ask("#words80-held40 please")
    expect(chat.panel.locator(".said.running .body")).to_contain_text("word9")
    system.restart_web()
    system.release("#words80-held40 please")
    expect(chat.panel.locator(".said.done .body")).to_contain_text("word79", timeout=30000)
    assert chat.answers.count() == 1
    assert chat.answers.inner_text().count("word9 ") == 1


def test_tabs_share_one_stream_and_show_the_same(
    profile: Callable[..., Any], talk: Visit, system: System
) -> None:
    context = profile()
    streams: list[str] = []
    ended: list[str] = []
    context.on("request", lambda r: "/chat/events" in r.url and streams.append(r.url))
    context.on("requestfailed", lambda r: "/chat/events" in r.url and ended.append(r.url))
    first = talk(context)
    others = []
    for _ in range(3):
        page = context.new_page()
        page.goto(first.page.url)
        other = Chat(page, first.api)
        other.open()
        expect(other.field).to_be_visible()
        others.append(other)
    first.ask("#words60-held30 for all")
    for other in others:
        expect(other.panel.locator(".said.running .body")).to_contain_text("word9")
    late = Chat(context.new_page(), first.api)
    late.page.goto(first.page.url)
    late.open()
    expect(late.panel.locator(".said.running .body")).to_contain_text("word0 word1 word2")
    assert len(streams) - len(ended) == 1
    first.page.close()  # the leader goes mid-answer; another takes over
    system.release("#words60-held30 for all")
    everyone = [*others, late]
    for other in everyone:
        expect(other.panel.locator(".said.done .body")).to_contain_text("word59")
        assert other.answers.count() == 1
    others[0].ask("still there?")
    for other in everyone:
        expect(other.answers.last).to_contain_text("You said: still there?")
        assert [text.strip() for text in other.texts()] == [t.strip() for t in others[0].texts()]


def test_expired_session_keeps_what_was_not_sent(talk: Visit, system: System) -> None:
    chat = talk()
    chat.ask("hello")
    expect(chat.answers.last).to_contain_text("hello")
    chat.field.fill("half a thou")
    chat.page.route("**/chat", lambda route: route.abort())
    system.act(act="expire", session=chat.session)
    chat.page.unroute("**/chat")
    chat.ask("said too late")
    expect(chat.panel.get_by_text("Your session has expired")).to_be_visible()
    email = chat.panel.get_by_label("E-mail address")
    expect(email).not_to_have_value("")
    chat.sign_in(email.input_value())
    expect(chat.answers.last).to_contain_text("You said: said too late")
    assert [row["message"] for row in chat.history()] == ["said too late"]


def test_draft_outlives_a_reload_and_an_expired_session(talk: Visit, system: System) -> None:
    chat = talk()
    chat.field.fill("half a thought")
    chat.page.reload()
    expect(chat.field).to_have_value("half a thought")
    system.act(act="expire", session=chat.session)
    expect(chat.panel.get_by_label("E-mail address")).to_be_visible(timeout=9000)
    chat.sign_in()
    expect(chat.field).to_have_value("half a thought")


@pytest.mark.parametrize("is_reloaded", [False, True])
def test_closed_by_staff_is_said_and_opened_again_by_writing(
    talk: Visit, system: System, is_reloaded: bool
) -> None:
    chat = talk()
    chat.ask("hello")
    expect(chat.panel.locator(".said.done")).to_contain_text("hello")
    system.act(act="close", session=chat.session)
    expect(chat.panel.get_by_text("This conversation was closed")).to_be_visible()
    if is_reloaded:
        chat.page.reload()
        expect(chat.panel.get_by_text("This conversation was closed")).to_be_visible()
    chat.ask("one more thing")
    expect(chat.answers.last).to_contain_text("You said: one more thing")
    expect(chat.said.filter(has_text="hello")).to_have_count(2)


def test_back_and_forward_go_on_where_they_were(talk: Visit) -> None:
    chat = talk()
    chat.ask("hello")
    expect(chat.answers.last).to_contain_text("hello")
    chat.page.goto("about:blank")
    chat.page.go_back()
    expect(chat.answers.last).to_contain_text("hello")
    chat.ask("again")
    expect(chat.answers.last).to_contain_text("You said: again")
