"""Exports: who may, what is in them, and that nothing in them runs."""

from __future__ import annotations

import csv
import io
import json

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import caches
from django.test import AsyncClient, Client
from redis.exceptions import RedisError

from chat_app.console import formats
from sessions_app.models import Act, AuditEntry
from tests.admin.conftest import LIST, SignIn, Talk

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "  =cmd|'/c calc'!A0",
    "＝1+1",
    "\n=1",
    "|x",
    "%0A",
)


def test_progress_is_told_to_whoever_began(sign_in: SignIn, talk: Talk) -> None:
    session, client = talk("Hello"), sign_in("Moderator")
    _export(client, pk=session.pk, format="jsonl", key="a-key-of-mine")
    assert client.get(f"{LIST}export/a-key-of-mine/").json() == {"done": 1, "total": 1}
    assert sign_in("Admin").get(f"{LIST}export/a-key-of-mine/").json()["total"] == 0


def test_export_needs_no_redis(
    sign_in: SignIn, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RedisError

    session, client = talk("Hello"), sign_in("Moderator")
    for name in ("set", "get"):
        monkeypatch.setattr(type(caches["limits"]), name, fail)
    assert "Hello" in _export(client, pk=session.pk, format="jsonl", key="a-key-of-mine")[1]
    assert client.get(f"{LIST}export/a-key-of-mine/").json()["total"] == 0


def _export(client: Client, **data: object) -> tuple[int, str]:
    """The whole file: streamed responses are read as the server reads them, asynchronously."""

    async def read() -> tuple[int, str]:
        asking = AsyncClient(headers={"User-Agent": "a browser of the staff"})
        asking.cookies = client.cookies
        answer = await asking.post(f"{LIST}export/", data)
        if not answer.streaming:
            return answer.status_code, ""
        parts = [part async for part in answer.streaming_content]
        return answer.status_code, b"".join(parts).decode()

    return async_to_sync(read)()


@pytest.mark.parametrize(
    ("role", "status"), [("Reviewer", 403), ("Moderator", 200), ("Privacy", 200)]
)
def test_only_with_the_permission_and_masked_without_the_other(
    sign_in: SignIn, talk: Talk, role: str, status: int
) -> None:
    session = talk("Hello")
    found, text = _export(sign_in(role), pk=session.pk, format="jsonl")
    assert found == status
    assert ("ada@example.com" in text) is (role == "Privacy")
    if status == 200:
        assert json.loads(text)["messages"][0]["text"] == "Hello"
        assert AuditEntry.objects.get(act=Act.EXPORT).session_id == session.pk


def test_csv_holds_no_formula_and_every_text(sign_in: SignIn, talk: Talk) -> None:
    session = talk(*FORMULAS, answer='a "quoted"\nline')
    _, text = _export(sign_in("Moderator"), pk=session.pk, format="csv")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    asked = [row["text"] for row in rows if row["from"] == "user"]
    assert asked == [f"'{one}" for one in FORMULAS]
    assert rows[1]["text"] == 'a "quoted"\nline'
    for row in rows:
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())


@pytest.mark.parametrize("harmless", ["", "a=b", "5 - 3", "hello", None, 12])
def test_what_is_no_formula_stays(harmless: object) -> None:
    assert formats.defused(harmless) == ("" if harmless is None else str(harmless))


def test_html_runs_nothing_and_says_so_itself(sign_in: SignIn, talk: Talk) -> None:
    session = talk("<script>alert(1)</script>", "[x](javascript:alert(1))")
    _, text = _export(sign_in("Moderator"), pk=session.pk, format="html")
    assert "<script" not in text
    assert 'href="javascript' not in text
    assert "default-src 'none'" in text
    assert text.rstrip().endswith("</html>")


def test_all_of_a_list_are_exported_in_batches(sign_in: SignIn, talk: Talk) -> None:
    for number in range(120):
        talk(email=f"v{number}@example.com")
    other = talk("The needle", email="n@example.com")
    client = sign_in("Moderator")
    _, text = _export(client, all="1", format="jsonl")
    assert len(text.splitlines()) == 121
    _, text = _export(client, all="1", q="needle", format="jsonl")
    assert [json.loads(line)["id"] for line in text.splitlines()] == [other.pk]
    details = AuditEntry.objects.filter(act=Act.EXPORT).values_list("detail", flat=True)
    assert "1 conversations as jsonl: q=needle" in details


def test_unknown_format_is_refused(sign_in: SignIn, talk: Talk) -> None:
    assert _export(sign_in("Moderator"), pk=talk().pk, format="exe")[0] == 400
