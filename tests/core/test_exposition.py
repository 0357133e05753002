"""The figures' own port: what it serves, what the public one does not, and when it is taken."""

import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator
from prometheus_client import CONTENT_TYPE_LATEST

from chatsite.core import exposition, runtime

PORT = 9100


async def ask(path: str, *, port: int = PORT, method: str = "GET") -> tuple[int, bytes, dict]:
    from chatsite.asgi import application

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "server": ("127.0.0.1", port),
        "client": ("127.0.0.1", 5),
    }
    caller = ApplicationCommunicator(application, scope)
    await caller.send_input({"type": "http.request", "body": b""})
    start, body = await caller.receive_output(10), await caller.receive_output(10)
    await caller.wait()
    return start["status"], body["body"], dict(start["headers"])


@pytest.fixture
def served(settings):
    settings.METRICS_PORT = PORT


@pytest.mark.asyncio
async def test_serves_the_figures_when_their_port_is_asked(served):
    status, body, headers = await ask("/metrics")

    assert status == 200
    assert headers[b"content-type"] == CONTENT_TYPE_LATEST.encode()
    assert b"chatsite_open_streams" in body
    assert (await ask("/metrics", method="HEAD"))[:2] == (200, b"")


@pytest.mark.parametrize(
    ("path", "method"), [("/health", "GET"), ("/chat", "POST"), ("/metrics", "POST")]
)
@pytest.mark.asyncio
async def test_serves_nothing_else_there(served, path, method):
    assert (await ask(path, method=method))[0] == 404


@pytest.mark.asyncio
async def test_shows_no_figures_to_visitors(served):
    status, body, _ = await ask("/metrics", port=8000)

    assert status == 404
    assert b"chatsite_" not in body


@pytest.mark.asyncio
async def test_shows_no_figures_at_all_when_they_are_off(settings):
    settings.METRICS_PORT = 0

    assert (await ask("/metrics"))[0] == 404


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_serves_a_workers_figures_at_the_port_of_its_role(settings, free_port):
    settings.METRICS_PORT = free_port - exposition.OFFSETS["replies"]

    exposition.serve("replies")

    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=10) as answer:
        assert b"chatsite_answers_in_progress" in answer.read()


def test_serves_nothing_for_a_worker_when_they_are_off(settings, free_port):
    settings.METRICS_PORT = 0
    exposition.serve("replies")

    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=10)


def test_says_so_and_goes_on_when_the_port_is_taken(settings, log_lines):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.METRICS_PORT = taken.getsockname()[1] - exposition.OFFSETS["notifications"]

        exposition.serve("notifications")

    [line] = [line for line in log_lines() if "metrics are not served" in line]
    assert str(taken) not in line


def test_counts_in_files_only_when_they_are_read(settings, monkeypatch):
    monkeypatch.setenv(runtime.COUNTS, "")  # so that it is undone
    monkeypatch.delenv(runtime.COUNTS)
    settings.METRICS_PORT = 0
    runtime.count_in_files()
    runtime.forget_counts_of(1)
    runtime.remove_counts()
    assert runtime.COUNTS not in os.environ

    settings.METRICS_PORT = PORT
    runtime.count_in_files()
    folder = Path(os.environ[runtime.COUNTS])
    runtime.count_in_files()
    assert Path(os.environ[runtime.COUNTS]) == folder
    assert folder.is_dir()
    assert b"chatsite_web_workers" in exposition.render()
    runtime.forget_counts_of(1)
    runtime.remove_counts()
    assert not folder.is_dir()
