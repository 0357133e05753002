"""A14: cursors and limits that are none, forged, or a look-up in disguise."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.abuse.wire import Web, head

NO_NUMBERS = ["-1", "1e3", "٣", "１", "0x10", "1.0", "+1", " 1", "", "null", "1;2", "9" * 400]
NO_NUMBERS += ["1' OR '1'='1", "1)--", "\x00", "../1", "%"]


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("name", ["limit", "before", "after"])
def test_names_what_is_no_number(wire: Web, token: str, name: str, value: str) -> None:
    answer = wire.send(head("GET", f"/chat/history?{name}={quote(value)}", token))

    assert answer.status == 400
    assert [error["field"] for error in answer.problem()["errors"]] == [name]


def test_names_a_limit_of_none_and_clamps_one_too_many(wire: Web, token: str) -> None:
    assert wire.send(head("GET", "/chat/history?limit=0", token)).status == 400
    assert wire.send(head("GET", "/chat/history?limit=1000000000", token)).status == 200


@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize("value", ["0", "999999999", str(2**53 - 1)])
def test_shows_only_this_session_when_a_cursor_is_forged(
    wire: Web, token: str, name: str, value: str
) -> None:
    other = wire.sign_in()
    wire.post(b'{"message": "mine alone"}', token, prefer="respond-async")

    answer = wire.send(head("GET", f"/chat/history?{name}={value}", other))

    assert answer.status == 200
    assert json.loads(answer.body)["messages"] == []


@pytest.mark.parametrize(
    "query",
    [
        "session__id=x",
        "content__startswith=a",
        "limit__gt=1",
        "order_by=-id",
        "session=x",
        "__all__",
    ],
)
def test_names_a_look_up(wire: Web, token: str, query: str) -> None:
    for path in ("/chat/history", "/chat/events"):
        answer = wire.send(head("GET", f"{path}?{query}", token))
        assert answer.status == 400
        (error,) = answer.problem()["errors"]
        assert query.startswith(error["field"])


def test_names_the_last_when_a_cursor_is_doubled(wire: Web, token: str) -> None:
    assert wire.send(head("GET", "/chat/history?limit=5&limit=x", token)).status == 400
