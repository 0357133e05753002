"""A7: bodies too large, false, deep, doubled or in another encoding are refused, cheaply."""

from __future__ import annotations

import json

import pytest

from tests.abuse.wire import Web, head, read

CHUNK = b"10000\r\n" + b"a" * 65536 + b"\r\n"
KIB = 1024
DEEP = 10**6
HELLO = b'{"message": "hello"}'


def test_refuses_200_mb_in_chunks_without_keeping_them(wire: Web, token: str) -> None:
    before = wire.megabytes()
    with wire.open() as connection:
        connection.sendall(head("POST", "/chat", token, transfer_encoding="chunked"))
        for _ in range(200 * KIB // 64):
            try:
                connection.sendall(CHUNK)
            except OSError:  # it was refused, and the connection closed, long before the end
                break
        answer = read(connection)

    assert answer.status == 413
    assert answer.problem()["code"] == "payload_too_large"
    assert wire.megabytes() - before < 20


@pytest.mark.parametrize("length", [65537, 200 * KIB * KIB, 10**30])
@pytest.mark.parametrize("expect", [{}, {"expect": "100-continue"}])
def test_refuses_a_length_too_large_before_a_byte_of_it_came(
    wire: Web, token: str, length: int, expect: dict[str, str]
) -> None:
    answer = wire.send(head("POST", "/chat", token, content_length=str(length), **expect))

    assert answer.status == 413
    assert answer.problem()["code"] == "payload_too_large"


@pytest.mark.parametrize("path", ["/chat", "/auth/email"])
def test_refuses_65_kib(wire: Web, token: str, path: str) -> None:
    assert wire.post(b" " * 65 * KIB + HELLO, token, path).status == 413


def test_tells_who_has_no_token_nothing_of_the_body(wire: Web) -> None:
    answer = wire.send(head("POST", "/chat", content_length=str(10**9)))

    assert answer.status == 401
    assert answer.problem()["code"] == "invalid_token"


def test_takes_a_body_that_is_shorter_than_its_length_for_no_request(wire: Web, token: str) -> None:
    with wire.open() as connection:
        connection.sendall(head("POST", "/chat", token, content_length="100") + HELLO)
        connection.shutdown(1)
        assert read(connection).status == 0


def test_reads_no_further_than_the_length(wire: Web, token: str) -> None:
    answer = wire.send(head("POST", "/chat", token, content_length="5"), HELLO)

    assert answer.status == 400
    assert answer.problem()["code"] == "invalid_input"


@pytest.mark.parametrize("length", ["-1", "+5", "5, 5", "0x10", "1e3", "5\r\ncontent-length: 6"])
def test_refuses_a_length_that_is_none(wire: Web, token: str, length: str) -> None:
    answer = wire.send(head("POST", "/chat", token, content_length=length), HELLO)

    assert answer.status == 400
    assert answer.problem()["code"] == "invalid_input"
    assert b"gunicorn" not in answer.body.lower()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"transfer_encoding": "chunked", "content_length": "5"}, b"0\r\n\r\n"),
        ({"transfer_encoding": "chunked"}, b"ZZ\r\nhello\r\n0\r\n\r\n"),
        ({"transfer_encoding": "chunked"}, b"-5\r\nhello\r\n0\r\n\r\n"),
        ({"transfer_encoding": "chunked, chunked"}, b"0\r\n\r\n"),
        ({"transfer_encoding": "gzip, chunked"}, b"5\r\n\x1f\x8bxxx\r\n0\r\n\r\n"),
        (
            {"transfer_encoding": "chunked", "content_encoding": "gzip"},
            b"2\r\n\x1f\x8b\r\n0\r\n\r\n",
        ),
    ],
    ids=lambda given: str(given)[:40],
)
def test_refuses_framing_that_two_servers_could_read_in_two_ways(
    wire: Web, token: str, headers: dict[str, str], body: bytes
) -> None:
    answer = wire.send(head("POST", "/chat", token, **headers), body)

    assert answer.status in {400, 501}
    answer.problem()


def within_64_kib(body: bytes) -> bytes:
    assert len(body) <= 64 * KIB
    return body


@pytest.mark.parametrize(
    "body",
    [
        within_64_kib(b"[" * 32000 + b"]" * 32000),
        within_64_kib(b'{"a":' * 10000 + b"1" + b"}" * 10000),
        b'{"message": ' + b"9" * 5000 + b"}",
        b'{"message": 1e' + b"9" * 5000 + b"}",
        b'{"message": 0.' + b"1" * 5000 + b"}",
        b'{"message": NaN}',
        b'{"message": -Infinity}',
        b'{"message": "one", "message": "two"}',
        b'{"message": "one", "m\\u0065ssage": "two"}',
        '{"message": "hi"}'.encode("utf-16"),
        '{"message": "hi"}'.encode("utf-16-le"),
        '{"message": "hi"}'.encode("utf-8-sig"),
        b'{"message": "\xff\xfe"}',
        b'{"message": "\xc0\xaf"}',
        b'{"message": "\xed\xa0\x80"}',
        b'{"message": "\\ud800"}',
        b'{"message": "\\udc00\\ud800"}',
        b'{"message": "nul \\u0000 inside"}',
        b'{"message": "nul \x00 inside"}',
        b"\x00" * 100,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_refuses_what_two_readers_could_read_in_two_ways(
    wire: Web, token: str, body: bytes
) -> None:
    answer = wire.post(body, token)

    assert answer.status == 400
    assert answer.problem()["code"] == "invalid_input"


def test_is_not_reached_by_a_million_levels(wire: Web, token: str) -> None:
    assert wire.post(b"[" * DEEP, token).status == 413
    assert wire.post(b'{"a":' * DEEP, token).status == 413


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-7", "application/json; charset=utf-16", "text/json"]
)
def test_refuses_another_charset_or_type(wire: Web, token: str, kind: str) -> None:
    answer = wire.post(HELLO, token, content_type=kind)

    assert answer.status == 415
    assert answer.problem()["code"] == "unsupported_media_type"


def test_still_serves_after_all_that(wire: Web, token: str) -> None:
    answer = wire.post(HELLO, token, prefer="respond-async")

    assert answer.status == 202
    assert json.loads(answer.body)["success"]
