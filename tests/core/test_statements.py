"""chatsite.core.statements: what is built once says and stores what the ORM would."""

from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.db.models.sql import compiler
from django.utils import timezone

from chat_app.models import AnswerStatus, ChatMessage, MessageType
from chatsite.core import statements
from chatsite.core.statements import Slot
from sessions_app.models import EventKind, SessionEvent

pytestmark = pytest.mark.django_db

_IDS = Slot("ids", models.CharField())


@pytest.fixture
def messages(session):
    """Two messages with something in every column, not stored yet."""
    now = timezone.now()
    question = ChatMessage(
        session=session,
        seq=11,
        message_type=MessageType.USER,
        content="50 % off? 'Really', \\ and %s",
        labels=[{"name": "ünlike", "rule": None}],
        client_key="key",
        edited_at=now - timedelta(seconds=1),
    )
    answer = ChatMessage(
        session=session,
        seq=12,
        message_type=MessageType.ASSISTANT,
        reply_to=question,
        status=AnswerStatus.RUNNING,
        lease_until=now,
        stop_requested=True,
        prompt_tokens=17,
        cost=Decimal("0.00012345"),
    )
    return [question, answer]


def _values(message):
    fields = message._meta.concrete_fields
    return {field.attname: getattr(message, field.attname) for field in fields}


def test_inserts_and_reads_every_column_as_the_orm_does(messages):
    statements.insert(messages)

    reading = statements.select(ChatMessage.objects.filter(pk__in=[_IDS]).order_by("seq"))
    ids = [one.pk for one in messages]
    found = reading.find(ids=ids)

    assert [_values(one) for one in found] == [_values(one) for one in messages]
    by_orm = ChatMessage.objects.filter(pk__in=ids).order_by("seq")
    assert [_values(one) for one in by_orm] == [_values(one) for one in messages]
    found[0].author = "somebody"
    found[0].save(update_fields=["author"])  # a row like any other: it is not stored anew
    assert ChatMessage.objects.get(pk=ids[0]).author == "somebody"


def test_gives_inserted_rows_the_keys_of_the_database(session):
    for count in (1, 3, statements._MOST + 1):
        last = SessionEvent.objects.count()
        rows = [
            SessionEvent(session=session, seq=100 + last + number, kind=EventKind.MESSAGE)
            for number in range(count)
        ]
        statements.insert(rows)
        assert SessionEvent.objects.count() == last + count
        for row in rows:
            assert SessionEvent.objects.get(pk=row.pk).seq == row.seq
            assert not row._state.adding
    statements.insert([])


def test_stores_nothing_of_what_the_database_refuses(messages):
    messages[1].seq = messages[0].seq
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.insert(messages)
    assert not ChatMessage.objects.exists()


def test_updates_and_returns_what_it_changed(messages):
    statements.insert(messages)
    changing = statements.update(
        ChatMessage.objects.filter(
            pk__in=[_IDS], lease_until__lte=Slot("now", models.DateTimeField())
        ),
        ("id", "attempt"),
        attempt=F("attempt") + 1,
        error=Slot("error", models.CharField()),
    )
    given = {"ids": [one.pk for one in messages], "error": "lost"}

    assert changing.ask(now=timezone.now() - timedelta(days=1), **given) == []
    assert changing.ask(now=timezone.now(), **given) == [(messages[1].pk, 1)]
    assert changing.ask(now=timezone.now(), **{**given, "ids": []}) == []
    messages[1].refresh_from_db()
    assert (messages[1].attempt, messages[1].error) == (1, "lost")


def test_returns_whole_rows_that_it_changed(messages):
    statements.insert(messages)
    rows = ChatMessage.objects.filter(pk__in=[_IDS], status__in=["running", "queued"])
    ending = statements.update_rows(rows, status=AnswerStatus.DONE)

    (found,) = ending.find(ids=[one.pk for one in messages])

    messages[1].refresh_from_db()
    assert _values(found) == _values(messages[1])
    assert found.status == AnswerStatus.DONE


def test_fills_each_slot_where_it_stands(messages):
    statements.insert(messages)
    ids, numbers = [one.pk for one in messages], Slot("numbers", models.BigIntegerField())
    kinds = [MessageType.ASSISTANT]
    reading = statements.select(
        ChatMessage.objects.filter(message_type__in=kinds, pk__in=[_IDS]).filter(seq__in=[numbers])
    )

    assert [one.pk for one in reading.find(ids=ids, numbers=[11, 12, 13])] == ids[1:]
    assert [one.pk for one in reading.find(ids=ids[1:], numbers=[11, 12])] == ids[1:]
    assert reading.find(ids=ids[:1], numbers=[11, 12]) == []
    with pytest.raises(ValueError, match="zip"):
        statements.Statement("SELECT '%s', %s", [1])


def test_builds_once_for_each_of_its_arguments(messages):
    statements.insert(messages)
    built = []

    @statements.once
    def reading(seq, *, is_first=False):
        built.append(seq)
        rows = ChatMessage.objects.filter(pk__in=[_IDS], seq=seq)
        return statements.select(rows.order_by("seq") if is_first else rows)

    ids = [one.pk for one in messages]
    assert [one.pk for one in reading(11).find(ids=ids)] == ids[:1]
    assert [one.pk for one in reading(12).find(ids=ids)] == ids[1:]
    with mock.patch.object(compiler.SQLCompiler, "as_sql", side_effect=AssertionError):
        assert [one.pk for one in reading(11).find(ids=ids[::-1])] == ids[:1]
        assert reading(12).find(ids=ids[:1]) == []
    assert built == [11, 12]
    assert reading(11, is_first=True).find(ids=ids)
    assert built == [11, 12, 11]


def test_asks_with_each_row_of_values_in_order(messages):
    statements.insert(messages)
    asked = "UPDATE chat_app_chatmessage SET error = %s WHERE id = %s AND seq < %s RETURNING seq"
    rows = [[f"100 % of {one.seq}", one.pk, 12] for one in reversed(messages)]

    assert statements.each(asked, rows) == [(11,)]
    assert statements.each(asked, []) == []
    found = ChatMessage.objects.order_by("seq").values_list("error", flat=True)
    assert list(found) == ["100 % of 11", ""]


@pytest.mark.parametrize("text", ["50 % off", "%s", "%%s", "it's \\", "IN (%s)"])
def test_finds_by_what_is_fixed_whatever_it_is(messages, text):
    messages[0].content = text
    statements.insert(messages)
    reading = statements.select(ChatMessage.objects.filter(pk__in=[_IDS], content=text))

    for _ in range(4):
        assert [one.seq for one in reading.find(ids=[one.pk for one in messages])] == [11]
