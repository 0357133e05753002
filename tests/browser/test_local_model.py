"""A newcomer's first minute: open `/`, talk, and a real model answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.system import System


@pytest.mark.model
def test_demo_shop_answers_with_the_model_of_this_machine(
    profile: Callable[..., Any], local_system: System
) -> None:
    page = profile().new_page()
    api = f"http://127.0.0.1:{local_system.api}"
    page.goto(api)
    chat = Chat(page, api)
    chat.sign_in()
    chat.ask("Please write three sentences about bowls.")
    expect(chat.panel.locator(".said.running .body")).not_to_be_empty(timeout=60000)
    expect(chat.panel.locator(".said.done.assistant")).to_be_visible(timeout=90000)
    stored = chat.history()[0]
    assert len(stored["response"]) > 10
    assert not stored["degraded"]
