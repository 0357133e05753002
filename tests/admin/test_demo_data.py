"""manage.py demo_data: conversations that the console shows like real ones."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Q

from chat_app import fulltext
from chat_app.console import days, sample
from chat_app.management.commands import demo_data
from chat_app.models import AnswerStatus, ChatMessage, DayFigures, MessageType
from sessions_app.models import ChatSession, SessionEvent
from tests.admin.conftest import LIST, SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _made() -> None:
    call_command("demo_data", sessions=80, seed=5, days=20, stdout=io.StringIO())


def test_makes_as_many_as_asked_with_messages_in_order() -> None:
    assert ChatSession.objects.count() == 80
    assert not ChatMessage.objects.filter(seq__gt=F("session__last_seq")).exists()
    said = ChatSession.objects.annotate(
        said=Count("messages", filter=Q(messages__message_type=MessageType.USER))
    )
    assert all(session.said == session.message_count for session in said)


def test_pairs_answers_with_questions() -> None:
    answers = ChatMessage.objects.filter(message_type=MessageType.ASSISTANT)
    assert answers.filter(status=AnswerStatus.DONE).exists()
    assert not answers.filter(reply_to=None).exists()


def test_tells_each_message_by_an_event_in_order() -> None:
    said = dict(ChatMessage.objects.values_list("pk", "message_type"))
    for session in ChatSession.objects.all()[:20]:
        events = list(SessionEvent.objects.filter(session=session).order_by("seq"))
        assert events[0].kind == "opened"
        assert events[-1].seq == session.last_seq
        told = [one.reference for one in events if one.kind in {"message", "answer"}]
        assert sorted(told) == sorted(
            ChatMessage.objects.filter(session=session).values_list("pk", flat=True)
        )
        for one in events:
            if one.kind == "answer":
                assert said[one.reference] == MessageType.ASSISTANT


def test_search_finds_what_is_said_in_it() -> None:
    found = fulltext.matching(fulltext.terms("warehouse"))
    wanted = ChatMessage.objects.filter(content__contains="warehouse")
    assert set(found.values_list("pk", flat=True)) == set(wanted.values_list("pk", flat=True))


def test_figures_are_counted_anew() -> None:
    before = sum(row.data["started"] for row in DayFigures.objects.all())
    call_command("demo_data", sessions=40, seed=6, days=20, stdout=io.StringIO())
    after = sum(row.data["started"] for row in DayFigures.objects.all())
    over = [one for one in ChatSession.objects.all() if days.is_over(one.created_at.date())]
    assert before < after == len(over)


def test_many_are_written_with_every_index_and_key_back(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL's indexes are made anew")
    tables = ("chat_app_chatmessage", "sessions_app_sessionevent")

    def schema() -> list[tuple[str, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE conrelid = ANY(%(t)s::regclass[]) OR confrelid = ANY(%(t)s::regclass[]) "
                "UNION SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) "
                "FROM pg_index WHERE indrelid = ANY(%(t)s::regclass[])",
                {"t": list(tables)},
            )
            return sorted(cursor.fetchall())

    before = schema()
    monkeypatch.setattr(demo_data, "_MANY", 10)
    call_command("demo_data", sessions=30, seed=8, days=20, stdout=io.StringIO())
    assert schema() == before
    assert ChatSession.objects.count() == 110


def test_is_shown_by_the_console(sign_in: SignIn) -> None:
    client = sign_in("Admin")

    assert client.get(LIST).status_code == 200
    assert client.get("/admin/", follow=True).status_code == 200


def test_the_same_seed_says_the_same_whatever_the_hour() -> None:
    def said(hour: int) -> list[str]:
        now = datetime(2026, 11, 24, hour, 50, tzinfo=UTC)
        author = sample.Author(seed=5, now=now, days=20)
        place = sample.MESSAGE_COLUMNS.index("content")
        return [row[place] for one in author.write(30) for row in one.messages]

    assert said(2) == said(12) == said(22)
