"""chatsite.core.postgresql: what is asked often is planned once, and a dead connection is seen."""

import re
import select

import pytest
from django.core.management import call_command
from django.db import (
    OperationalError,
    ProgrammingError,
    close_old_connections,
    connection,
    connections,
    transaction,
)

from chat_app import answers, endings, leases, preparing
from chat_app.endings import Ending
from chatsite.core import statements
from chatsite.core.postgresql import base, states
from sessions_app import events
from tests.support import answer_of, open_session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it is PostgreSQL's"),
]


def test_is_usable_without_a_query_when_it_lives(django_assert_num_queries, monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "cursor", lambda *_: pytest.fail("asked"))

    assert connection.is_usable()


def test_asks_for_the_time_outs_of_a_server_that_is_gone_without_a_word():
    connection.ensure_connection()
    asked = connection.connection.info.get_parameters()

    names = ("tcp_user_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count")
    assert [asked[name] for name in names] == ["10000", "5", "5", "2"]


def _ended_by_the_server():
    """The connection, as a restart of the server leaves it."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        other.close()
    _wait_until_it_is_ended()


def _wait_until_it_is_ended():
    ended = select.poll()
    ended.register(connection.connection.fileno(), select.POLLRDHUP)
    assert ended.poll(10_000), "the server did not end it"


def test_is_not_usable_when_the_server_ended_it():
    _ended_by_the_server()

    assert not connection.is_usable()
    connection.close()


def test_is_not_usable_when_it_was_never_opened():
    fresh = connections.create_connection("default")

    assert not fresh.is_usable()


def test_is_usable_when_the_server_only_said_something():
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN words")
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("NOTIFY words")

        assert connection.is_usable()
    finally:
        other.close()


_OF_THE_UNFINISHED = {"message_unfinished", "message_unfinished_session", "message_lease"}
_TEXTS = ("it's", "a \\ and % and %s", "ünï 😀", "", None)
_ASKED = "SELECT CAST(%s AS text), CAST(%s AS integer)"


@pytest.fixture
def anew():
    """A connection on which nothing was asked yet, before and after."""
    connection.close()
    yield
    connection.close()


def _plans():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time")
        return [one for (one,) in cursor.fetchall()]


@pytest.mark.usefixtures("anew")
def test_answers_the_same_when_what_is_asked_often_was_planned():
    for text in (*_TEXTS, *_TEXTS):
        assert statements.run(_ASKED, [text, 7]) == [(text, 7)]
        assert statements.each(_ASKED, [[text, 1], ["", None]]) == [(text, 1), ("", None)]

    (plan,) = _plans()
    assert " AS SELECT CAST($1 AS text), CAST($2 AS integer);" in plan


@pytest.mark.usefixtures("anew")
def test_plans_nothing_when_told_not_to_or_when_it_is_full(settings, monkeypatch):
    def ask(number):
        for _ in range(5):
            assert statements.run(f"SELECT {number} + %s", [1]) == [(number + 1,)]

    settings.DATABASE_PLANS = False
    ask(1)
    assert _plans() == []
    settings.DATABASE_PLANS = True
    monkeypatch.setattr(base, "_MOST_PLANS", 2)
    for number in range(4):
        ask(number)
    assert len(_plans()) == 2


@pytest.mark.usefixtures("anew")
def test_plans_anew_when_the_connection_is_another():
    for _ in range(3):
        for _ in range(4):
            assert statements.run(_ASKED, ["a", 1]) == [("a", 1)]
        assert len(_plans()) == 1
        connection.close()


@pytest.mark.usefixtures("anew")
def test_plans_anew_when_the_server_ended_the_connection_between_two_requests(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)  # as in production
    for _ in range(4):
        statements.run(_ASKED, ["a", 1])
    _ended_by_the_server()
    close_old_connections()  # as each request begins

    assert statements.run(_ASKED, ["a", 1]) == [("a", 1)]


def _explained():
    """What the server would do for each of the plans that it keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, cardinality(parameter_types) FROM pg_prepared_statements")
        for name, count in cursor.fetchall():
            given = f"({', '.join(['NULL'] * count)})" if count else ""
            cursor.execute(f"EXPLAIN EXECUTE {name}{given}")
            yield "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("is_full", [False, True])
def test_goes_by_the_index_whatever_the_tables_hold(is_full):
    if is_full:
        call_command("demo_data", sessions=300, days=7, seed=1)
    for number in range(4):
        session = open_session(f"v{number}@example.com")
        answer_of(session, "Hello?")
        claimed = leases.claim(most=50)
        preparing.prepare(claimed)
        endings.finish([Ending(one, answers.failure("none")) for one in claimed])

    plans = list(_explained())

    assert len(plans) >= 8
    for plan in plans:
        assert "Seq Scan" not in plan
        for name, condition in re.findall(r"Index.* using (\S+) on.*\n\s*(\w*)", plan):
            # By a key, and not through all of the index, unless it holds the unfinished alone.
            assert condition == "Index" or name in _OF_THE_UNFINISHED, plan
    with connection.cursor() as cursor:
        for way in base._OTHER_WAYS:
            cursor.execute(f"SHOW enable_{way}")
            assert cursor.fetchone() == ("on",)


@pytest.mark.usefixtures("anew")
def test_asks_as_it_stands_when_a_column_is_of_another_type_now():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE there AS SELECT CAST('a' AS varchar(3)) AS it")
    asked = "SELECT it FROM there WHERE it = %s"
    for _ in range(4):
        assert statements.run(asked, ["a"]) == [("a",)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE there ALTER COLUMN it TYPE text")

    with pytest.raises(OperationalError) as raised, transaction.atomic():
        statements.run(asked, ["a"])
    assert states.of(raised.value) in states.VOID_PLAN
    for _ in range(4):
        assert statements.run(asked, ["a"]) == [("a",)]


@pytest.mark.usefixtures("anew")
def test_asks_as_it_stands_when_somebody_threw_the_plans_away():
    for _ in range(4):
        statements.run(_ASKED, ["a", 1])
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")

    assert statements.run(_ASKED, ["a", 1]) == [("a", 1)]


@pytest.fixture
def column():
    """A column whose type changes as with a migration, and changes back."""

    def become(kind):
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE sessions_app_chatsession ALTER COLUMN responder TYPE {kind}"
            )

    yield become
    become("varchar(8)")


@pytest.mark.usefixtures("anew")
def test_says_503_once_when_a_migration_came_between_two_questions(visitor, column, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)  # as in production
    for _ in range(4):
        assert visitor.leave("Before?").status_code == 202
    column("varchar(9)")

    refused = [visitor.leave("After?") for _ in range(2)]

    assert [one.status_code for one in refused] == [503, 202]
    assert refused[0]["Retry-After"]


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize(
    "sql",
    [
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET idle_in_transaction_session_timeout = 1",
    ],
    ids=["read only", "waited too long"],
)
def test_says_503_when_the_server_refuses_to_write(visitor, monkeypatch, sql):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)
    record = events.record

    def late(*args):
        _wait_until_it_is_ended()
        return record(*args)

    monkeypatch.setattr(events, "record", late)
    with connection.cursor() as cursor:
        cursor.execute(sql)

    response = visitor.leave("Hello?")
    monkeypatch.undo()
    connection.close()

    assert response.status_code == 503
    assert response["Retry-After"]
    assert visitor.leave("Hello?").status_code == 202


@pytest.mark.usefixtures("anew")
def test_asks_as_it_stands_at_once_outside_a_transaction():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE there AS SELECT CAST('a' AS varchar(3)) AS it")
    for _ in range(4):
        statements.run("SELECT it FROM there", [])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE there ALTER COLUMN it TYPE text")

    assert statements.run("SELECT it FROM there", []) == [("a",)]


@pytest.mark.usefixtures("anew")
def test_says_what_is_wrong_and_goes_on_when_something_cannot_be_planned():
    for _ in range(5):
        with pytest.raises(ProgrammingError), transaction.atomic():
            statements.run("SELECT * FROM nowhere WHERE it = %s", [1])

    assert statements.run("SELECT current_setting('enable_seqscan')", []) == [("on",)]


@pytest.mark.usefixtures("anew")
def test_keeps_a_plan_when_its_transaction_is_rolled_back():
    for _ in range(5):
        with transaction.atomic():
            statements.run(_ASKED, ["a", 1])
            transaction.set_rollback(True)

    assert len(_plans()) == 1
