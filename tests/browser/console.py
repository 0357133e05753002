"""The staff console as its people meet it: pages of a role, and what must never be on them."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.system import System

LIST = "/admin/sessions_app/chatsession/"
LIVE = ".live[data-state=live]"
PASSWORD = "a long enough password"
AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js").read_text(encoding="utf-8")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
_AGENT = "a visitor's browser"
_PATIENCE = 30_000


class Console:
    """The console of the running system, and what a visitor does beside it."""

    def __init__(self, system: System, profile: Callable[..., Any]) -> None:
        self.system, self.url = system, f"http://127.0.0.1:{system.api}"
        self._profile = profile
        self.said: list[str] = []

    def stranger(self, **options: Any) -> Any:
        """A page that nobody has signed in at; what its console says is in `said`."""
        context = self._profile(base_url=self.url, **options)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        page.on("console", lambda one: self.said.append(one.text) if one.type == "error" else None)
        page.on("dialog", lambda one: self.said.append("a dialog") or one.dismiss())
        page.on("request", lambda one: self._is_ours(one.url) or self.said.append(one.url))
        return page

    def enter(self, role: str, **options: Any) -> Any:
        """A page signed in with a role."""
        page = self.stranger(**options)
        key = self.system.act(act="admit", role=role)
        page.context.add_cookies([{"name": "sessionid", "value": key, "url": self.url}])
        return page

    def open(self, page: Any, session: str, query: str = "") -> None:
        """A conversation's page, once it is live."""
        page.goto(f"{LIST}{session}/change/{query}")
        page.wait_for_selector(LIVE)

    def visitor(self, email: str = "ada@example.com") -> tuple[str, str]:
        """A conversation of a visitor: its id and its token."""
        opened = self.post("/auth/email", {"email": email})
        return opened["session_id"], opened["access_token"]

    def post(self, path: str, body: dict[str, Any], token: str = "", **headers: str) -> Any:
        """A visitor's request; the JSON of its answer."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        told = {"Content-Type": "application/json", "User-Agent": _AGENT, **headers, **bearer}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), told)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def events(self, token: str, until: str, seconds: float = 60) -> str:
        """The visitor's own stream, read until it holds these words."""
        told = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        told["User-Agent"] = _AGENT
        request = urllib.request.Request(f"{self.url}/chat/events", headers=told)
        seen, end = "", time.monotonic() + seconds
        with urllib.request.urlopen(request, timeout=seconds) as stream:
            while until not in seen and time.monotonic() < end:
                seen += stream.readline().decode()
        return seen

    def _is_ours(self, url: str) -> bool:
        return url.startswith((self.url, "data:", "blob:", "file:"))


def serious(page: Any) -> list[str]:
    """What axe finds serious or critical; run from outside, so the policy stays as it is."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE})
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def fits(page: Any) -> bool:
    """Whether nobody has to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
