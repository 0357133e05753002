"""A8: what is no message, says nothing or is too long is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.abuse.wire import Web

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u3164\u115f\u2800\ufe0f\U000e0041\U000e0001"


def named(answer: Any) -> list[str]:
    """The fields that the problem names."""
    assert answer.status == 400
    found = answer.problem()
    assert found["code"] == "invalid_input"
    return [error["field"] for error in found["errors"]]


@pytest.mark.parametrize(
    "message",
    [1, 1.5, True, None, [], ["hi"], {}, {"text": "hi"}, "", " ", "\t\r\n \u00a0\u2003", INVISIBLE]
    + [f" {one}" for one in INVISIBLE]
    + ["x" * 4001, "😀" * 4001, " " * 4001],
    ids=lambda message: ascii(message)[:24],
)
def test_names_the_message(wire: Web, token: str, message: Any) -> None:
    assert named(wire.post(json.dumps({"message": message}).encode(), token)) == ["message"]


def test_names_the_message_when_there_is_none(wire: Web, token: str) -> None:
    assert named(wire.post(b"{}", token)) == ["message"]
    assert named(wire.post(b"[]", token)) == [""]
    assert named(wire.post(b'"hi"', token)) == [""]


@pytest.mark.parametrize("name", ["role", "session_id", "seq", "is_staff", "__class__", "Message"])
def test_names_a_field_that_is_not_known(wire: Web, token: str, name: str) -> None:
    body = json.dumps({"message": "hi", name: "x"}).encode()

    assert named(wire.post(body, token)) == [name]


@pytest.mark.parametrize("message", ["x" * 4000, "😀" * 4000, f"a{INVISIBLE}", "\u202eabc", "1"])
def test_keeps_a_message_that_says_something(wire: Web, token: str, message: str) -> None:
    answer = wire.post(json.dumps({"message": message}).encode(), token, prefer="respond-async")

    assert answer.status == 202
