"""Talk, back up, wipe, restore, go on: the same conversation, with the same token."""

from __future__ import annotations

import asyncio
import io
import shutil
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import connection, connections

from chat_app import engine as engines
from chat_app.models import AnswerStatus, ChatMessage
from chatsite import dumps
from chatsite.core import live
from notifications import pause
from notifications.mirror import Mirror
from sessions_app.models import SessionEvent
from tests.notifications.conftest import (  # noqa: F401  (fixtures)
    all_sent,
    beside,
    discord_server,
)
from tests.support import ask, open_session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _tools(is_sqlite: bool) -> None:
    if not is_sqlite and shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed (apt-get install postgresql-client)")


@pytest.fixture
def discord(discord_server: Any) -> Any:  # noqa: F811
    """Discord on loopback."""
    return discord_server


def run(command: str, *arguments: Any, **options: Any) -> str:
    said = io.StringIO()
    call_command(command, *arguments, stdout=said, **options)
    return said.getvalue()


def wipe() -> None:
    """Leave nothing of the database but its name."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        dumps._copy(":memory:", name)  # an empty database
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    connections.close_all()


async def until(is_so: Any, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await beside(is_so):
            await asyncio.sleep(0.05)


def said_in(server: Any, thread_id: str) -> list[str]:
    embeds = [one["embeds"][0] for one in server.messages[thread_id]]
    return [embed.get("description", "").replace("\\", "") for embed in embeds]


def is_running() -> bool:
    return ChatMessage.objects.filter(status=AnswerStatus.RUNNING).exists()


def are_all_finished() -> bool:
    unfinished = [AnswerStatus.QUEUED, AnswerStatus.RUNNING]
    return not ChatMessage.objects.filter(status__in=unfinished).exists()


@pytest.mark.asyncio
async def test_goes_on_where_the_backup_was_made(
    web,
    engine,
    discord,
    provider,
    settings,
    redis,
    tmp_path,
):
    first = Mirror()
    first.start()
    file = tmp_path / "chatsite.backup"
    settings.LLM_MODEL = "openai/asked"
    settings.ANSWER_LEASE_SECONDS = 2
    making, lost = "[wait3-echo] In the making", "[echo] Lost"
    assert (await web.ask("[echo] First")).json()["status"] == "done"
    first.wake()
    await until(all_sent)
    # The second is being answered, and owed to Discord, when the backup is made.
    await beside(pause.pause, seconds=600, reason="for the test")
    assert (await web.leave(making)).status_code == 202
    await until(is_running)
    said = await beside(run, "backup", file)
    assert "1 sessions, 4 messages" in said
    # What follows is lost here, but readers and Discord have seen it.
    await beside(pause.resume)
    await until(are_all_finished)
    assert (await web.ask(lost)).json()["status"] == "done"
    await until(all_sent)
    [thread] = discord.threads
    assert said_in(discord, thread).count(making) == 1
    seen = await beside(lambda: SessionEvent.objects.latest("seq").seq)
    await asyncio.to_thread(engine.stop, seconds=0)
    await asyncio.to_thread(first.stop, seconds=1)
    await sync_to_async(connections.close_all)()

    await beside(wipe)
    redis.flushdb()
    restored = await beside(run, "restore", file)

    assert "Restored 1 sessions, 4 messages" in restored
    await beside(pause.try_now)  # as a worker does that begins
    again, second = engines.start(), Mirror()
    second.start()
    try:
        await until(are_all_finished)
        answer = (await web.ask("[echo] And on")).json()
        assert answer["status"] == "done"
        await until(all_sent)
        history = (await web.get("/chat/history")).json()["messages"]
        texts = said_in(discord, thread)
    finally:
        await asyncio.to_thread(again.stop, seconds=1)
        await asyncio.to_thread(second.stop, seconds=1)
        live.flush(5)
    assert [pair["message"] for pair in history] == ["[echo] First", making, "[echo] And on"]
    assert all(pair["response"] == f"You said: {pair['message']}" for pair in history)
    assert provider.times[making] == 2
    assert list(discord.threads) == [thread]
    for text in ("[echo] First", making, lost, "[echo] And on"):
        assert texts.count(text) == 1, texts
    newest = await beside(lambda: list(SessionEvent.objects.values_list("seq", flat=True)))
    assert max(newest) > seen
    assert not [number for number in newest if seen - 3 < number <= seen]


def test_keeps_what_is_there_when_it_is_not_told_to_replace_it(tmp_path):
    file = tmp_path / "backup"
    ask(open_session(), "Before")
    run("backup", file)
    ask(open_session("bo@example.com"), "After")

    with pytest.raises(CommandError, match=r"2 sessions, 4 messages.*--replace"):
        run("restore", file)
    assert ChatMessage.objects.count() == 4

    assert "Restored 1 sessions, 2 messages" in run("restore", file, "--replace")
    assert ChatMessage.objects.filter(content="Before").exists()
    assert not ChatMessage.objects.filter(content="After").exists()


def test_does_the_rest_when_another_tool_has_loaded_it():
    session = open_session()
    ask(session, "Before")
    last = session.last_seq

    assert "Restored 1 sessions, 2 messages" in run("restore", "--loaded")

    session.refresh_from_db()
    assert session.last_seq > last + 500
    with pytest.raises(CommandError, match=r"one of the arguments"):
        run("restore")


def test_never_writes_over_a_backup(tmp_path):
    file = tmp_path / "backup"
    file.write_text("mine")

    with pytest.raises(CommandError, match="is there already"):
        run("backup", file)
    assert file.read_text() == "mine"


def test_keeps_a_backup_from_others_and_leaves_no_part(tmp_path, monkeypatch):
    run("backup", tmp_path / "good")
    assert (tmp_path / "good").stat().st_mode & 0o077 == 0

    def fail(*_: Any) -> None:
        raise dumps.CannotDump("no")

    monkeypatch.setattr(dumps, "_run", fail)
    monkeypatch.setattr(dumps, "_copy", fail)
    with pytest.raises(CommandError, match="no"):
        run("backup", tmp_path / "bad")
    assert [one.name for one in tmp_path.iterdir()] == ["good"]


@pytest.mark.parametrize("content", [b"", b"something else", None])
def test_restores_nothing_from_what_is_no_backup(tmp_path, content):
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(CommandError, match=r"cannot be read|neither kind"):
        run("restore", file)


def test_restores_nothing_from_the_other_database(tmp_path, is_sqlite):
    file = tmp_path / "file"
    file.write_bytes(b"PGDMP" + b"\0" * 20 if is_sqlite else b"SQLite format 3\x00")

    with pytest.raises(CommandError, match="is of"):
        run("restore", file)


def test_says_what_is_missing_when_the_tools_are(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(dumps.CannotDump, match="postgresql-client"):
        dumps._run("pg_dump")


def test_says_what_a_tool_said(monkeypatch):
    with pytest.raises(dumps.CannotDump, match=r"^ls: .*nowhere"):
        dumps._run("ls", "/nowhere")


def test_refuses_a_damaged_file(tmp_path, is_sqlite):
    if not is_sqlite:
        pytest.skip("pg_restore says it itself")
    good = tmp_path / "good"
    ask(open_session(), "Before")
    run("backup", good)
    data = bytearray(good.read_bytes())
    data[8192:16384] = b"\xff" * 8192
    bad = tmp_path / "bad"
    bad.write_bytes(bytes(data))

    with pytest.raises(CommandError, match="damaged"):
        run("restore", bad, "--replace")
    assert ChatMessage.objects.filter(content="Before").exists()


def test_hands_a_password_to_no_list_of_processes(monkeypatch):
    found = dumps._environment(
        {"HOST": "db", "PORT": 5432, "USER": "me", "PASSWORD": "secret", "NAME": "chat"}
    )
    assert found == {
        "PGHOST": "db",
        "PGPORT": "5432",
        "PGUSER": "me",
        "PGPASSWORD": "secret",
        "PGDATABASE": "chat",
    }
