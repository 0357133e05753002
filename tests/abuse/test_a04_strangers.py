"""A4: what belongs to another session is as what never was: status, body, and work done."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support import ask, finish, open_session, problem

pytestmark = pytest.mark.django_db

NEVER = "x" * 22


@pytest.fixture(autouse=True)
def _as_written(settings):
    settings.DATABASE_PLANS = False  # the third asking of anything would read another way


def told(call):
    """What a caller can learn of an answer, and what it cost the database."""
    with CaptureQueriesContext(connection) as asked:
        answer = call()
    body = answer.json()
    body.pop("request_id", None)
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    work = tuple(re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in asked)
    return answer.status_code, body, headers, work


@pytest.fixture
def theirs(db):
    """Another session's question and answer."""
    other = open_session("bob@example.com")
    question = ask(other, "Bob's secret")
    finish("An answer for Bob.")
    return question


def test_a04_says_and_does_the_same_for_anothers_and_for_none(visitor, theirs):
    for path in ("/chat/messages/{0}", "/chat/messages/{0}?after=1"):
        for one in (theirs.pk, theirs.answer.pk):
            found = told(lambda path=path, one=one: visitor.get(path.format(one)))
            assert found == told(lambda path=path: visitor.get(path.format(NEVER)))
            assert found[0] == 404
    for one in (theirs.pk, theirs.answer.pk):
        found = told(lambda one=one: visitor.post(f"/chat/answers/{one}/stop"))
        assert found == told(lambda: visitor.post(f"/chat/answers/{NEVER}/stop"))
    problem(visitor.get(f"/chat/messages/{theirs.pk}"), 404, "not_found")


def test_a04_reads_only_ones_own_whatever_the_cursor(visitor, session, theirs):
    mine = ask(session, "Mine")
    cursors = {0, 1, mine.seq, theirs.seq, theirs.answer.seq, 2**31, 2**62}
    for name in ("before", "after"):
        for cursor in cursors:
            said = visitor.get(f"/chat/history?{name}={cursor}").content.decode()
            assert "Bob" not in said


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [0, 1])
async def test_a04_streams_only_ones_own_whatever_the_cursor(web, after):
    from asgiref.sync import sync_to_async

    other = await sync_to_async(open_session)("bob@example.com")
    await sync_to_async(ask)(other, "Bob's secret")
    await sync_to_async(ask)(web.session, "Mine")

    told = (await web.get(f"/chat/events?after={after}")).json()["events"]

    assert {event["data"].get("text") for event in told} <= {"Mine", None}
