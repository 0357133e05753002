"""A running system, a website on another origin, and a browser; skipped without a Chromium.

All of it ends with this package: Playwright's loop would be in the way of other tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.chat import Chat
from tests.browser.console import PASSWORD
from tests.browser.site import Site
from tests.browser.system import System

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
# Of what is waited for: a busy machine takes its time, and only a failing test waits that long.
_PATIENCE_MS = 20_000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# What no test provokes on purpose is a fault of the widget.
_WATCH = """
window.violations = []; window.ran = [];
document.addEventListener('securitypolicyviolation', (event) =>
  violations.push(`${event.violatedDirective} ${event.blockedURI}`));
window.alert = window.confirm = window.prompt = (text) => { ran.push(String(text)); };
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser, and sockets."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker("browser")
            item.add_marker("enable_socket")
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """A website on an origin that is not the API's."""
    site = Site()
    yield site
    site.stop()


@pytest.fixture(scope="package")
def system(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The running system."""
    system = System(tmp_path_factory.mktemp("system"), site.origin)
    try:
        system.start()
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="package")
def staff(system: System) -> None:
    """Accounts of the staff, and conversations that they find."""
    system.act(act="hire", password=PASSWORD)


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One browser for all tests; each has a profile of its own."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def profile(browser: Any) -> Iterator[Callable[..., Any]]:
    """Makes profiles: each with its own storage, watched for errors and scripts that ran."""
    made = []

    def make(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 820}, **options})
        context.set_default_timeout(_PATIENCE_MS)
        context.add_init_script(_WATCH)
        context.errors = []
        context.on("weberror", lambda error: context.errors.append(str(error.error)))
        made.append(context)
        return context

    yield make
    for context in made:
        errors = context.errors
        context.close()
        assert errors == []


@pytest.fixture
def visit(profile: Callable[..., Any], site: Site, system: System) -> Callable[..., Chat]:
    """Opens a page of the website with the widget; the query is what the page is made from."""

    def go(context: Any = None, *, api: int = 0, origin: str = "", **query: str) -> Chat:
        page = (context or profile()).new_page()
        address = f"http://127.0.0.1:{api or system.api}"
        asked = {"api": address, **{k.replace("_", "-"): v for k, v in query.items()}}
        page.goto(f"{origin or site.origin}/?{urlencode(asked)}")
        return Chat(page, address)

    return go


@pytest.fixture
def talk(visit: Callable[..., Chat]) -> Callable[..., Chat]:
    """Opens a page and signs in."""

    def go(context: Any = None, **query: Any) -> Chat:
        chat = visit(context, **query)
        chat.sign_in()
        return chat

    return go


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where screenshots go when PICTURES is set; docs/images holds the committed ones."""
    folder = os.environ.get("PICTURES")
    return Path(folder) if folder else None
