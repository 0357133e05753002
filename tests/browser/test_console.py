"""The console in a real Chromium: as each role, live, by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.console import LIST, LIVE, PASSWORD, PHONE, Console, fits, serious
from tests.browser.system import System

ROLES = ("Reviewer", "Moderator", "Privacy", "Admin")


@pytest.fixture
def console(system: System, staff: None, profile: Callable[..., Any]) -> Iterator[Console]:
    """The console; nothing that its pages report may be a violation or an error."""
    found = Console(system, profile)
    yield found
    assert found.said == []


@pytest.mark.parametrize("role", ROLES)
def test_role_walks(console: Console, role: str) -> None:
    page = console.stranger()
    page.goto("/admin/")
    page.fill("#id_username", role.lower())
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_url(f"**{LIST}")
    page.keyboard.press("/")
    page.keyboard.type("grinder")
    page.keyboard.press("Enter")
    page.wait_for_url("**?q=grinder")  # until it is loaded: keys before the scripts do nothing
    assert page.locator("mark").count()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(LIVE)
    assert page.locator("#composer").count() == (role in {"Moderator", "Admin"})
    assert page.locator("#reveal").count() == (role in {"Privacy", "Admin"})
    page.click("text=Dashboard")
    page.wait_for_selector("svg.chart")


def test_neighbours_are_reached_by_keyboard(console: Console) -> None:
    page = console.enter("Reviewer")
    page.goto(f"{LIST}?q=grinder")
    hrefs = page.locator("a.open").evaluate_all("all => all.map(one => one.href)")
    page.goto(hrefs[0])
    page.keyboard.press("j")
    page.wait_for_url(hrefs[1])
    page.keyboard.press("k")
    page.wait_for_url(hrefs[0])
    page.keyboard.press("u")
    page.wait_for_url(f"**{LIST}?q=grinder")


def test_message_and_tokens_arrive_without_reload(console: Console) -> None:
    session, token = console.visitor()
    page = console.enter("Reviewer")
    console.open(page, session)
    page.evaluate("window.__same = 1")
    question = "#words40-held20 Is it **loud**?"
    console.post("/chat", {"message": question}, token, Prefer="respond-async")
    page.wait_for_selector(".by-user strong:text('loud')")
    page.wait_for_selector(".is-streaming >> text=word10")
    console.system.release(question)
    page.wait_for_selector(".by-assistant:not(.in-the-making) >> text=word39")
    assert page.evaluate("window.__same") == 1
    assert page.locator(".item.said").count() == 2


def test_hidden_page_lets_go_of_its_stream_and_catches_up(console: Console) -> None:
    """A browser opens six connections to a host: pages in the background must not hold them."""
    session, token = console.visitor()
    page = console.enter("Reviewer")
    page.clock.install()
    console.open(page, session)
    page.evaluate(_HIDE, "hidden")
    page.clock.run_for(60_000)
    page.wait_for_selector(".live[data-state=paused]")
    console.post("/chat", {"message": "Anybody?"}, token, Prefer="respond-async")
    page.evaluate(_HIDE, "visible")
    page.wait_for_selector(LIVE)
    page.wait_for_selector(".by-user >> text=Anybody?")


_HIDE = """(state) => {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_staff_replies_takes_over_closes_and_blocks(console: Console) -> None:
    session, token = console.visitor("blocked@example.com")
    page = console.enter("Moderator")
    console.open(page, session)
    page.click("button:text('Take over')")
    page.wait_for_selector(".item.line >> text=took over")
    page.keyboard.press("r")
    page.fill("#text", "Maren here: it is quiet.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".by-staff >> text=it is quiet")
    assert "it is quiet" in console.events(token, "it is quiet")
    page.wait_for_function("document.getElementById('text').value === ''")
    page.click("button:text('Hand back')")
    page.wait_for_selector(".item.line >> text=handed back")
    page.click("button:text-is('Close')")
    page.wait_for_selector("#conversation[data-active=no]")
    page.click("button:text('Reopen')")
    page.wait_for_selector("#conversation[data-active=yes]")
    page.click("summary:text('Block this visitor')")
    page.fill("input[name=reason]", "sells things")
    page.click("button:text-is('Block')")
    page.wait_for_selector(".item.line >> text=sells things")
    page.wait_for_selector(".chip:text('Blocked')")
    page.click("summary:text('Lift the block')")  # it would keep all visitors of this machine out
    page.click("button:text('Lift the block')")
    page.wait_for_selector(".item.line >> text=lifted the block")


def test_two_people_never_see_each_others_drafts(console: Console) -> None:
    session, _ = console.visitor()
    one, other = console.enter("Moderator"), console.enter("Admin")
    for page in (one, other):
        console.open(page, session)
    one.fill("#text", "half a thought")
    other.reload()
    assert other.input_value("#text") == ""
    assert "half a thought" not in other.content()
    one.reload()
    assert one.input_value("#text") == ""


def test_export_is_downloaded_with_its_progress(console: Console) -> None:
    page = console.enter("Moderator")
    page.goto(LIST)
    page.check("input[name=all][value='1']")
    page.select_option("select[name=format]", "csv")
    with page.expect_download() as download:
        page.click(".export-bar button")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("\n") > 60
    page.wait_for_selector("#export-said:text('exported')")


@pytest.mark.parametrize(
    ("scheme", "device"), [("light", {}), ("dark", PHONE)], ids=["laptop-light", "phone-dark"]
)
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    console: Console, scheme: str, device: dict[str, Any]
) -> None:
    page = console.enter("Admin", color_scheme=scheme, **device)
    found: dict[str, list[str]] = {}
    for path in ("", "?q=nothingatall", "?q=grinder&label=staff", "dashboard/", _EVERYTHING, _LOG):
        page.goto(LIST + path)
        found[path] = serious(page)
        assert fits(page), path
        if "label" in path:
            page.click("a.open >> nth=0")
            page.wait_for_selector(LIVE)
            found["one"] = serious(page)
            assert fits(page)
            assert page.locator("#text").is_visible()
    assert not any(found.values()), found


_EVERYTHING = "../../?everything=1"
_LOG = "../../sessions_app/auditentry/"
