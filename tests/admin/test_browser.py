"""The console in a real Chromium: as each role, live, on a phone, with hostile texts on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from tests.admin.conftest import LIST, ROLES
from tests.admin.site import PASSWORD, Site

pytestmark = pytest.mark.browser
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
AXE = Path(__file__).resolve().parents[1] / "browser" / "vendor" / "axe-core-4.14.1.min.js"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FOREIGN = "main :is(script, iframe, img:not([src^='/static/admin/']), style, base, object, embed)"
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 860}
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running system."""
    if not CHROMIUM.is_file():
        pytest.skip("no Chromium on this machine")
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1).ping()
    except redis.RedisError:
        pytest.skip("no Redis answers")
    running = Site(tmp_path_factory.mktemp("site"), settings.REDIS_URL)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Any]:
    """Debian's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def enter(site: Site, browser: Any) -> Iterator[Open]:
    """A page signed in with a role; nothing it reports may be a violation or an error."""
    said: list[str] = []
    contexts: list[Any] = []

    def as_role(role: str, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": LAPTOP, "base_url": site.url, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: said.append(str(one)))
        page.on("dialog", lambda one: said.append("a dialog") or one.dismiss())
        page.on("request", lambda one: _is_ours(site, one.url) or said.append(one.url))
        page.goto("/admin/")
        page.fill("#id_username", role.lower())
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        page.wait_for_url(f"**{LIST}")
        return page

    yield as_role
    for context in contexts:
        context.close()
    assert not said


def _is_ours(site: Site, url: str) -> bool:
    return url.startswith((site.url, "data:", "blob:"))


def _visit(site: Site, email: str = "ada@example.com") -> tuple[str, str]:
    opened = site.post("/auth/email", {"email": email})
    return opened["session_id"], opened["access_token"]


def _serious(page: Any) -> list[str]:
    """What axe finds serious or critical; run from outside, so the policy stays as it is."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def _fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("role", ROLES)
def test_role_walks(enter: Open, role: str) -> None:
    page = enter(role)
    page.keyboard.press("/")
    page.keyboard.type("grinder")
    page.keyboard.press("Enter")
    page.wait_for_selector("mark")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".live[data-state=live]")
    assert page.locator("#composer").count() == (role in {"Moderator", "Admin"})
    assert page.locator("#reveal").count() == (role in {"Privacy", "Admin"})
    page.click("text=Dashboard")
    page.wait_for_selector("svg.chart")


def test_message_and_tokens_arrive_without_reload(enter: Open, site: Site) -> None:
    session, token = _visit(site)
    page = enter("Reviewer")
    page.goto(f"{LIST}{session}/change/")
    page.wait_for_selector(".live[data-state=live]")
    page.evaluate("window.__same = 1")
    site.post("/chat", {"message": "Is it **loud**?"}, token, Prefer="respond-async")
    page.wait_for_selector(".by-user strong:text('loud')", timeout=8000)
    page.wait_for_selector(".is-streaming", timeout=8000)
    page.wait_for_selector(".by-assistant:not(.in-the-making) >> text=word39", timeout=15000)
    assert page.evaluate("window.__same") == 1
    assert page.locator(".item.said").count() == 2


def test_staff_replies_takes_over_and_closes(enter: Open, site: Site) -> None:
    session, token = _visit(site)
    page = enter("Moderator")
    page.goto(f"{LIST}{session}/change/")
    page.wait_for_selector(".live[data-state=live]")
    page.click("button:text('Take over')")
    page.wait_for_selector(".item.line >> text=took over")
    page.keyboard.press("r")
    page.fill("#text", "Maren here: it is quiet.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".by-staff >> text=it is quiet")
    assert "it is quiet" in site.events(token, "it is quiet")
    assert page.input_value("#text") == ""
    page.click("button:text('Hand back')")
    page.wait_for_selector(".item.line >> text=handed back")
    page.click("button:text-is('Close')")
    page.wait_for_selector("#conversation[data-active=no]")
    page.click("button:text('Reopen')")
    page.wait_for_selector("#conversation[data-active=yes]")


def test_two_people_never_see_each_others_drafts(enter: Open, site: Site) -> None:
    session, _ = _visit(site)
    one, other = enter("Moderator"), enter("Admin")
    for page in (one, other):
        page.goto(f"{LIST}{session}/change/")
        page.wait_for_selector(".live[data-state=live]")
    one.fill("#text", "half a thought")
    other.reload()
    assert other.input_value("#text") == ""
    assert "half a thought" not in other.content()


def test_export_is_downloaded_with_its_progress(enter: Open) -> None:
    page = enter("Moderator")
    page.check("input[name=all][value='1']")
    page.select_option("select[name=format]", "csv")
    with page.expect_download() as download:
        page.click(".export-bar button")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("\n") > 60
    page.wait_for_selector("#export-said:text('exported')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(enter: Open, site: Site, scheme: str) -> None:
    page = enter("Admin", color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for path in ("", "?q=grinder&label=staff", "dashboard/", "../../?everything=1"):
        page.goto(LIST + path)
        found[path] = _serious(page)
        if path.startswith("?"):
            page.click("a.open >> nth=0")
            page.wait_for_selector(".live[data-state=live]")
            found["one"] = _serious(page)
    assert not any(found.values()), found


def test_phone_needs_no_sideways_scrolling(enter: Open) -> None:
    page = enter("Admin", viewport=PHONE, is_mobile=True, has_touch=True)
    for path in ("", "?q=grinder", "dashboard/", "../../?everything=1"):
        page.goto(LIST + path)
        assert _fits(page), path
    page.goto(LIST)
    page.click("a.open >> nth=0")
    page.wait_for_selector(".live[data-state=live]")
    assert _fits(page)
    assert page.locator("#text").is_visible()


def test_hostile_texts_run_nowhere(enter: Open, site: Site) -> None:
    page = enter("Admin")
    page.goto(f"{LIST}?q=eve@example.com")
    links = page.locator("a.open").evaluate_all("all => all.map(one => one.href)")
    assert links
    places = [*links, LIST, f"{LIST}?q=script", f"{LIST}?q=<img/src=x>", f"{LIST}dashboard/",
              "/admin/chat_app/chatmessage/", "/admin/sessions_app/auditentry/"]  # fmt: skip
    for place in places:
        page.goto(place)
        assert page.evaluate("window.__ran") is None, place
        assert page.locator(FOREIGN).count() == 0
        assert page.locator("main :is([onerror], [onload], [onclick], [style])").count() == 0
        assert page.locator("main a[href^='javascript' i], main a[href^='data' i]").count() == 0
