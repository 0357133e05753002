"""The pictures of the documentation: PICTURES=docs/images pytest tests/browser/test_pictures.py"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.console import LIST, LIVE, Console
from tests.browser.system import System

Visit = Callable[..., Chat]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
TALK = [
    [
        "Can the deep bowl go into the dishwasher?",
        "Yes. All our stoneware may go into the **dishwasher** and the microwave. Mind:\n\n"
        "- no open flame or hob\n- let it cool before you rinse it cold",
    ],
    [
        "Lovely. Could you make six of them in oat?",
        "Sets are made to order and take about five weeks. I have told the studio; "
        "someone will tell you the price here.",
    ],
]


@pytest.fixture
def shop(profile: Callable[..., Any], system: System, pictures: Path | None) -> Callable[..., Chat]:
    """Opens the demo shop in a new profile."""
    if pictures is None:
        pytest.skip("set PICTURES to the folder that they go to")
    pictures.mkdir(parents=True, exist_ok=True)

    def go(path: str = "/", **options: Any) -> Chat:
        page = profile(**options).new_page()
        api = f"http://127.0.0.1:{system.api}"
        page.goto(api + path)
        return Chat(page, api)

    return go


def _talk(chat: Chat, system: System) -> None:
    chat.sign_in("ada@example.com")
    system.act(act="converse", session=chat.session, pairs=TALK)
    chat.page.reload()
    expect(chat.answers).to_have_count(2)
    system.act(act="respond", session=chat.session, responder="human")
    words = "Hello Ada, Kim here. Six in oat would be **€ 290**, ready by mid-December. Shall I?"
    system.act(act="say", session=chat.session, text=words, author="Kim")
    expect(chat.panel.locator(".said.staff")).to_be_visible()
    chat.ask("Yes, please!")
    expect(chat.panel.locator(".said.visitor.sent")).to_have_count(3)
    chat.field.blur()
    chat.page.wait_for_timeout(300)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_picture_of_a_conversation(
    shop: Callable[..., Chat], system: System, pictures: Path, scheme: str
) -> None:
    chat = shop(color_scheme=scheme, viewport={"width": 1280, "height": 860})
    _talk(chat, system)
    chat.page.screenshot(path=pictures / f"widget-{scheme}.png")


def test_picture_of_a_phone(shop: Callable[..., Chat], system: System, pictures: Path) -> None:
    chat = shop(**PHONE, device_scale_factor=1.5)
    _talk(chat, system)
    chat.page.screenshot(path=pictures / "widget-phone.png")


def test_picture_of_the_door(shop: Callable[..., Chat], pictures: Path) -> None:
    chat = shop(viewport={"width": 1280, "height": 860})
    chat.open()
    chat.page.wait_for_timeout(400)
    chat.page.screenshot(path=pictures / "widget-door.png")


def test_pictures_of_the_console(
    system: System, staff: None, profile: Callable[..., Any], pictures: Path | None
) -> None:
    if pictures is None:
        pytest.skip("set PICTURES to the folder that they go to")
    console = Console(system, profile)
    laptop = console.enter("Admin", viewport={"width": 1280, "height": 860})
    dark = console.enter("Moderator", color_scheme="dark", viewport={"width": 1280, "height": 860})
    phone = console.enter("Moderator", **PHONE, device_scale_factor=1.5)
    dark_phone = console.enter("Moderator", color_scheme="dark", **PHONE, device_scale_factor=1.5)
    for name, page, path in (
        ("list", laptop, ""),
        ("search", laptop, "?q=grinder"),
        ("dashboard", laptop, f"dashboard/?since={_days_ago(9)}"),
        ("dashboard-dark", dark, f"dashboard/?since={_days_ago(9)}"),
        ("list-phone", phone, ""),
    ):
        page.goto(LIST + path)
        is_whole = name.startswith("dashboard")
        page.screenshot(path=pictures / f"admin-{name}.png", full_page=is_whole)
    for name, page in (("", laptop), ("-dark", dark), ("-phone", dark_phone)):
        page.goto(f"{LIST}?label=staff")
        page.click("a.open >> nth=2")
        page.wait_for_selector(LIVE)
        page.wait_for_timeout(300)  # until new lines stand still
        page.screenshot(path=pictures / f"admin-conversation{name}.png")
    assert console.said == []


def _days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
