"""Production behind its proxy, as a visitor, an operator and an attacker meet it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.deployment.compose import Machines
from tests.deployment.conftest import HALF_SENT, MANY

pytestmark = pytest.mark.enable_socket


class Visitor:
    """One who signed in, which is done rarely: five times a minute from one address."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        answer = client.post("/auth/email", json={"email": "ann@example.com"})
        assert answer.status_code == 200, answer.text
        self.bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def ask(self, text: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/chat", json={"message": text}, headers={**self.bearer, **named})

    def history(self) -> list[dict[str, Any]]:
        answer = self.client.get("/chat/history?limit=200", headers=self.bearer)
        return answer.json()["messages"]


@pytest.fixture(scope="session")
def token() -> dict[str, str]:
    return {}


@pytest.fixture
def visitor(browser: httpx.Client, token: dict[str, str]) -> Visitor:
    """The same visitor in every test, each time with a new browser."""
    if token:
        known = Visitor.__new__(Visitor)
        known.client, known.bearer = browser, dict(token)
        return known
    fresh = Visitor(browser)
    token.update(fresh.bearer)
    return fresh


def test_answers_over_tls_and_http2_and_remembers(visitor: Visitor) -> None:
    answer = visitor.ask("Is anybody there?")

    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    assert answer.json()["status"] == "done"
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert answer.headers.get_list("strict-transport-security") == [
        answer.headers["strict-transport-security"]
    ]
    assert visitor.history()[-1]["response"] == answer.json()["response"]


def test_passes_events_on_as_they_come(visitor: Visitor) -> None:
    """What is kept back until the end could not be stopped before it."""
    question = {"message": "[words2000-gap0.05] Go on until I say stop"}
    headers = {**visitor.bearer, "Accept": "text/event-stream"}
    with visitor.client.stream("POST", "/chat", json=question, headers=headers) as stream:
        events = _events(stream.iter_lines())
        delta = next(data for name, data in events if name == "delta")
        stop = f"/chat/answers/{delta['answer_id']}/stop"
        assert visitor.client.post(stop, headers=visitor.bearer).status_code == 200
        answer = next(data for name, data in events if name == "answer")

    assert answer["status"] == "stopped"
    assert answer["response"].startswith(delta["text"])
    assert "word1999" not in answer["response"]


def test_takes_the_id_of_a_request_from_the_caller_to_the_model(
    visitor: Visitor, production: Machines
) -> None:
    question, given = "Who am I to you?", "trace.0123-abcd_EF"

    answer = visitor.ask(question, X_Request_ID=given)

    assert answer.headers["X-Request-ID"] == given
    assert _provider(production)["request_ids"][question] == given
    said = {}
    for log in ("access.log", *(f"{name}.log" for name in production.running("web", "replies"))):
        lines = [json.loads(line) for line in _lines_with(production, log, given)]
        assert all(line["request_id"] == given for line in lines)
        said[log] = bool(lines)
    assert said["access.log"]
    assert said["web-a.log"] + said["web-b.log"] == 1
    assert any(said[log] for log in said if log.startswith("replies"))


def test_logs_one_json_object_a_line(visitor: Visitor, production: Machines) -> None:
    visitor.history()
    for name in production.running("web", "replies", "notifications", "beat"):
        lines = (production.folder / f"{name}.log").read_text(encoding="utf-8").splitlines()
        for line in filter(None, lines):
            assert {"event", "level", "time"} <= json.loads(line).keys()
    for line in _lines_with(production, "access.log", ""):
        assert "request_id" in json.loads(line)


def test_gives_a_request_an_id_where_the_callers_is_none(visitor: Visitor) -> None:
    answer = visitor.client.get("/chat/messages/none", headers={"X-Request-ID": "a b\tc"})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_believes_nothing_that_a_caller_says_of_its_address(
    visitor: Visitor, browser: httpx.Client, production: Machines
) -> None:
    claimed = {"X-Forwarded-For": "6.6.6.6, 7.7.7.7", "Forwarded": "for=6.6.6.6"}
    answer = visitor.ask("Where am I?", **claimed)
    assert answer.status_code == 200
    assert visitor.history()[-1]["ip_address"].startswith("127.")

    statuses = [
        browser.post(
            "/auth/email",
            json={"email": "spoof@example.com"},
            headers={"X-Forwarded-For": f"6.6.6.{number}"},
        ).status_code
        for number in range(6)
    ]
    assert statuses[-1] == 429


def test_shows_the_admin_with_its_static_files(browser: httpx.Client) -> None:
    page = browser.get("/admin/login/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    [cookie] = page.headers.get_list("set-cookie")
    assert re.match("__Host-csrftoken=[^;]+;", cookie), "no other host's, by TLS alone"
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert part in cookie.split("; "), cookie
    assert "Domain" not in cookie
    [sheet, *_] = re.findall(r'href="(/static/[^"]+\.css)"', page.text)

    css = browser.get(sheet)

    assert css.status_code == 200
    assert "immutable" in css.headers["cache-control"]


def test_refuses_a_body_of_65_kib_before_it_reaches_the_web(
    visitor: Visitor, production: Machines, trust: ssl.SSLContext
) -> None:
    # httpx sends a body whole before it reads, which HTTP/2's window of 64 KiB does not let it.
    with httpx.Client(base_url=production.url, verify=trust) as client:
        headers = {**visitor.client.headers, **visitor.bearer}
        answer = client.post("/chat", json={"message": "x" * 65 * 1024}, headers=headers)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "payload_too_large"
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert not _lines_with(production, "web-a.log", body["request_id"])
    assert not _lines_with(production, "web-b.log", body["request_id"])


def test_never_answers_with_html_of_its_own(production: Machines, trust: ssl.SSLContext) -> None:
    raw = _raw(production, trust, b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")

    assert b" 400 " in raw.split(b"\r\n")[0]
    assert b"<html" not in raw
    assert b'"code":"invalid_input"' in raw


def test_sends_plain_http_to_tls(production: Machines) -> None:
    answer = httpx.get(
        f"http://{production.addresses['proxy']}:8080/widget.js?a=1",
        headers={"Host": "chat.example.com"},
    )

    assert answer.status_code == 308
    assert answer.headers["location"] == "https://chat.example.com/widget.js?a=1"


def test_cuts_headers_that_never_end(production: Machines, browser: httpx.Client) -> None:
    """They were sent before the webs were started, which takes longer than ten seconds."""
    for one in production.early:
        one.settimeout(15)
        with contextlib.suppress(ConnectionResetError):
            assert one.recv(4096) == b""
        one.close()

    now = []
    for _ in range(MANY):
        now.append(socket.create_connection((production.addresses["proxy"], 8443), timeout=30))
        now[-1].sendall(HALF_SENT)
    assert browser.get("/health").status_code == 200
    for one in now:
        one.close()


def test_shows_figures_inside_only(production: Machines, browser: httpx.Client) -> None:
    webs = [httpx.get(production.figures(name, 9100)).text for name in ("web-a", "web-b")]
    names = production.running("replies")
    replies = [httpx.get(production.figures(name, 9101)).text for name in names]
    notifications = httpx.get(production.figures("notifications", 9102)).text

    asked = 'chatsite_http_requests_total{route="chat",status="200"}'
    assert sum(_value(text, asked) for text in webs) >= 1
    for web in webs:
        assert _value(web, "chatsite_web_workers") == 1
        # A process of the coverage's own measuring is larger.
        assert 20e6 < _value(web, "chatsite_web_largest_bytes") < 130e6
    made = sum(_value(text, 'chatsite_answers_total{cause="",outcome="done"}') for text in replies)
    assert made >= 1
    assert _value(notifications, "chatsite_database_up") == 1
    assert _value(notifications, "chatsite_broker_up") == 1
    assert _value(notifications, "chatsite_replies_alive") == 1
    assert browser.get("/metrics").status_code == 404


def test_holds_no_more_connections_than_the_arithmetic_says(production: Machines) -> None:
    """docs/deployment.md: webs x workers x (threads + 1) + replies x 6 + notifications x 4."""
    url = production["web-a"].env["DATABASE_URL"]
    if not url.startswith("postgres"):
        pytest.skip("PostgreSQL only")
    replies = len(production.running("replies"))
    name = url.rpartition("/")[2]
    with psycopg.connect(url) as asking:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        [(held,)] = asking.execute(count, [name]).fetchall()
    assert held - 1 <= 2 * 1 * (4 + 1) + replies * 6 + 4


@pytest.mark.skipif(not os.environ.get("PRODUCTION"), reason="make production takes the time")
def test_loses_no_question_while_the_webs_are_renewed_one_by_one(
    visitor: Visitor, production: Machines
) -> None:
    before = len(visitor.history())
    over, statuses = threading.Event(), []

    def ask_on() -> None:
        while not over.is_set():
            answer = visitor.ask("Still there?", Prefer="respond-async")
            statuses.append(answer.status_code)
            over.wait(7)  # ten a minute

    asking = threading.Thread(target=ask_on)
    asking.start()
    for name in ("web-a", "web-b"):
        assert production[name].stop() == 0
        assert visitor.client.get("/health").status_code == 200
        production.start(name)
        production.wait_until_healthy(name)
    over.set()
    asking.join()

    assert set(statuses) == {202}
    assert len(visitor.history()) == before + len(statuses)


def test_says_that_it_is_away_in_words_when_both_webs_are(
    browser: httpx.Client, production: Machines
) -> None:
    for name in ("web-a", "web-b"):
        production[name].kill()

    answer = browser.get("/health")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def _provider(production: Machines) -> dict[str, Any]:
    url = production["replies"].env["LLM_API_BASE"].removesuffix("/v1")
    found: dict[str, Any] = httpx.get(f"{url}/ledger").json()
    return found


def _lines_with(production: Machines, log: str, word: str) -> list[str]:
    text = (production.folder / log).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if word in line]


def _value(text: str, name: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith(f"{name} ")] or [f"{name} 0"]
    return float(line.rpartition(" ")[2])


def _raw(production: Machines, trust: ssl.SSLContext, request: bytes) -> bytes:
    address = production.addresses["proxy"]
    with (
        socket.create_connection((address, 8443), timeout=30) as plain,
        trust.wrap_socket(plain, server_hostname=address) as tls,
    ):
        tls.sendall(request)
        found = b""
        while piece := tls.recv(65536):
            found += piece
        return found
