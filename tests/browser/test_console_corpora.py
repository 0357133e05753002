"""The same texts on every page and export of the console, beside pages of harmless texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.utils import quote

from tests.browser import corpora, inert
from tests.browser.console import LIST, Console
from tests.browser.system import System

# So many that the longest list has pages left out between its first and its last.
HARMLESS = [f"Plain words, number {number}." for number in range(1_252)]
CHANGELISTS = (
    "chat_app/chatmessage", "chat_app/snippet", "sessions_app/auditentry", "sessions_app/block",
    "admin/logentry",
)  # fmt: skip
_SEARCHED_EVERY = 40


@pytest.fixture
def console(system: System, staff: None, profile: Callable[..., Any]) -> Console:
    """The console."""
    return Console(system, profile)


def test_texts_are_inert_on_every_page_and_export(console: Console, tmp_path: Path) -> None:
    page = console.enter("Admin")
    shapes = _Walk(page, console.system, HARMLESS, tmp_path).shapes()
    # So many texts are counted by beat, and the dashboard says when.
    shapes["dashboard"].add("time datetime title")
    walk = _Walk(page, console.system, corpora.texts(), tmp_path)
    for place, found in walk.pages():
        inert.check(found, shapes[walk.kind], place)
    inert.check(walk.look_at_export(), shapes["export"], "the export to read")
    walk.check_data()
    assert console.said == []


class _Walk:
    """All pages that show these texts; `kind` is what the page is one of."""

    def __init__(self, page: Any, system: System, texts: list[str], folder: Path) -> None:
        self._page, self._texts, self._folder = page, texts, folder
        self._planted = system.act(act="plant", texts=texts)
        self.kind = ""

    def shapes(self) -> dict[str, set[str]]:
        """What elements the pages of each kind have."""
        found: dict[str, set[str]] = {}
        for _, looked in self.pages():
            found.setdefault(self.kind, set()).update(looked["shapes"])
        found["export"] = set(self.look_at_export()["shapes"])
        return found

    def pages(self) -> Any:
        """Each place, and what was found there."""
        yield from self._visit("one", [f"{LIST}{pk}/change/" for pk in self._planted["long"]])
        yield from self._visit("one", [f"{LIST}{pk}/change/" for pk in self._planted["short"][:3]])
        yield from self._visit("history", [f"{LIST}{quote(self._planted['long'][0])}/history/"])
        # The latest first: these texts come before all that was there.
        pages = range(1, len(self._texts) // 50 + 3)
        yield from self._visit("list", [f"{LIST}?page={number}" for number in pages])
        searched = [one[:200] for one in self._texts[::_SEARCHED_EVERY]]
        searched += ["nobodysaysthis", "nobody@example.com", self._planted["short"][0]]
        queries = [urlencode({"q": one}) for one in searched]
        yield from self._visit("list", [f"{LIST}?{query}" for query in queries])
        yield from self._visit("list", [f"{LIST}?{urlencode({'model': searched[0][:99]})}"])
        for name in CHANGELISTS:
            pages = range(1, min(len(self._texts), 9_900) // 100 + 2)
            places = [f"/admin/{name}/?p={number}" for number in pages]
            yield from self._visit("changelist", places)
        yield from self._visit("dashboard", [f"{LIST}dashboard/", "/admin/?everything=1"])

    def look_at_export(self) -> dict[str, Any]:
        """The page to read, opened as a file."""
        self._page.goto(self._export("html").as_uri())
        return self._look()

    def check_data(self) -> None:
        """The two formats that no browser shows."""
        inert.check_lines(self._export("jsonl"), self._texts)
        inert.check_cells(self._export("csv"), self._texts)

    def _visit(self, kind: str, places: list[str]) -> Any:
        for place in places:
            self._page.goto(place)
            self.kind = kind
            yield place, self._look()

    def _look(self) -> dict[str, Any]:
        found: dict[str, Any] = self._page.evaluate(inert.LOOK)
        return found

    def _export(self, form: str) -> Path:
        """All conversations of the list as one file."""
        self._page.goto(LIST)
        self._page.check("input[name=all][value='1']")
        self._page.select_option("select[name=format]", form)
        with self._page.expect_download() as download:
            self._page.click(".export-bar button")
        path = self._folder / f"{len(self._texts)}.{form}"
        download.value.save_as(path)
        return path
