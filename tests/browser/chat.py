"""The widget as a person meets it: by what is written on it."""

from __future__ import annotations

import itertools
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

_numbers = itertools.count()


class Chat:
    """One page with the widget on it."""

    def __init__(self, page: Page, api: str) -> None:
        self.page, self.api = page, api

    @property
    def launcher(self) -> Locator:
        """The round button."""
        return self.page.locator("chatsite-widget .launcher")

    @property
    def panel(self) -> Locator:
        """The panel, open or not."""
        return self.page.locator("chatsite-widget .panel")

    @property
    def field(self) -> Locator:
        """Where one writes."""
        return self.panel.locator("textarea")

    @property
    def said(self) -> Locator:
        """All messages but the greeting."""
        return self.panel.locator(".said:not([data-id='']), .said.visitor")

    @property
    def answers(self) -> Locator:
        """The assistant's messages."""
        return self.panel.locator(".said.assistant:not([data-id=''])")

    @property
    def token(self) -> str:
        """The session's token."""
        return str(self._session()["token"])

    @property
    def session(self) -> str:
        """The session's id."""
        return str(self._session()["session_id"])

    def open(self) -> None:
        """Open the panel."""
        self.launcher.click()
        expect(self.panel).to_be_visible()

    def sign_in(self, email: str = "") -> None:
        """Open the panel and go through the door."""
        if not self.panel.is_visible():
            self.open()
        self.panel.get_by_label("E-mail address").fill(email or f"v{next(_numbers)}@example.com")
        self.panel.get_by_role("checkbox").check()
        self.panel.get_by_role("button", name="Start chat").click()
        expect(self.field).to_be_visible()

    def ask(self, text: str) -> None:
        """Write and send."""
        self.field.fill(text)
        self.field.press("Enter")

    def texts(self) -> list[str]:
        """What the bubbles show, in order."""
        return self.said.locator(".body").all_inner_texts()

    def shown(self) -> list[str]:
        """The ids of what is shown, in order, in one look."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelector('chatsite-widget').shadowRoot
                 .querySelectorAll('.said')].map((node) => node.dataset.id).filter(Boolean)"""
        )
        return found

    def until(self, is_so: Callable[[], Any], seconds: float = 8.0) -> Any:
        """Wait until `is_so` gives something true, and give it back."""
        deadline = time.monotonic() + seconds
        while not (found := is_so()):
            assert time.monotonic() < deadline, "waited in vain"
            self.page.wait_for_timeout(30)
        return found

    def history(self) -> list[dict[str, Any]]:
        """What the API has stored."""
        request = urllib.request.Request(
            f"{self.api}/chat/history?limit=200",
            headers={"Authorization": f"Bearer {self.token}", "User-Agent": "chatsite tests 1.0"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            rows: list[dict[str, Any]] = json.load(response)["messages"]
            return rows

    def ran(self) -> list[str]:
        """What should not have run, and did."""
        found: list[str] = self.page.evaluate("ran")
        return found

    def _session(self) -> Any:
        kept = self.page.evaluate(
            """() => Object.entries(localStorage).find(([key]) => key.endsWith(':session'))?.[1]"""
        )
        return json.loads(kept)
