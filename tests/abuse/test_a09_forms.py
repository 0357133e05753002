"""A9: other bodies, methods, formats and Accept headers are refused or passed over."""

from __future__ import annotations

import pytest

from tests.abuse.wire import Web, head

FORMS = {
    "application/x-www-form-urlencoded": b"message=hi",
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="message"'
    b"\r\n\r\nhi\r\n--x--\r\n",
    "text/plain": b'{"message": "hi"}',
    "text/html": b'{"message": "hi"}',
    "application/xml": b"<message>hi</message>",
    "": b'{"message": "hi"}',
}


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("path", ["/chat", "/auth/email"])
def test_refuses_bodies_that_a_page_elsewhere_can_send(
    wire: Web, token: str, kind: str, path: str
) -> None:
    answer = wire.post(FORMS[kind], token, path, content_type=kind)

    assert answer.status == 415
    assert answer.problem()["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    "method", ["TRACE", "TRACK", "CONNECT", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "FOO"]
)
def test_refuses_other_methods(wire: Web, token: str, method: str) -> None:
    answer = wire.send(head(method, "/chat", token))

    assert answer.status in {400, 404, 405}
    answer.problem()
    assert "traceparent" not in answer.head
    assert token.encode() not in answer.body


@pytest.mark.parametrize(
    "override",
    [
        {"x_http_method_override": "DELETE"},
        {"x_method_override": "DELETE"},
        {"x_http_method": "PUT"},
    ],
)
def test_passes_over_a_method_override(wire: Web, token: str, override: dict[str, str]) -> None:
    for path in ("/auth/session", "/auth/session?_method=DELETE"):
        assert wire.send(head("GET", path, token, **override)).status == 200
    assert wire.send(head("GET", "/auth/session", token)).status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "x" * 2000, "\xff"])
@pytest.mark.parametrize("query", ["", "?format=html", "?format=api", "?format=json&format=csv"])
def test_answers_json_whatever_is_accepted(wire: Web, token: str, accept: str, query: str) -> None:
    answer = wire.send(head("GET", f"/auth/session{query}", token, accept=accept))

    assert answer.status == 200
    assert "content-type: application/json" in answer.head


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("OPTIONS", "*"),
        ("GET", "*"),
        ("GET", "http://evil.example/chat/history"),
        ("CONNECT", "evil.example:443"),
        ("GET", "//evil.example/%2e%2e"),
        ("GET", "/chat/../../etc/passwd"),
        ("GET", "/static/..%2f..%2fmanage.py"),
        ("GET", "/static/%2e%2e/%2e%2e/.env"),
        ("GET", "/%00"),
        ("GET", "/chat/messages/%ff%fe"),
        ("GET", "/chat/messages/" + "a" * 3000),
    ],
)
def test_finds_nothing_at_odd_targets(wire: Web, token: str, method: str, target: str) -> None:
    answer = wire.send(head(method, target, token))

    assert answer.status in {400, 404}
    answer.problem()


@pytest.mark.parametrize(
    "bytes_",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n X: folded\r\n\r\n",
    ],
    ids=lambda sent: repr(sent[:24]),
)
def test_answers_a_problem_to_what_is_no_request(wire: Web, bytes_: bytes) -> None:
    answer = wire.send(bytes_)

    assert 400 <= answer.status < 500
    answer.problem()
    assert "server: chatsite" in answer.head
    assert "nosniff" in answer.head


def test_passes_over_an_upgrade(wire: Web, token: str) -> None:
    upgrade = {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec_websocket_key": "x3JJHMbDL1EzLkh9GBhXDw==",
        "sec_websocket_version": "13",
    }

    assert wire.send(head("GET", "/auth/session", token, **upgrade)).status == 200
    assert wire.send(head("GET", "/chat/events", **upgrade)).status == 401
