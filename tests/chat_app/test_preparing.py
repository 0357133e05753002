"""preparing.py: many answers are prepared in few statements, and each as it would be alone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat_app import leases, preparing
from chat_app.budgets import Spent, Taken
from chat_app.models import Spending
from tests.support import answer_of, open_session, say

pytestmark = pytest.mark.django_db
_ASKING = {"SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE"}


def claimed(*names):
    """An answer of each visitor, who heard from staff before; by name."""
    for name in names:
        session = open_session(f"{name}@example.com")
        for number in range(3):
            say(session, f"{name} {number}")
        answer_of(session, f"{name} asks")
    return leases.claim(most=len(names))


def said(found):
    return [turn["content"] for turn in found.turns[1:]]


def test_tells_each_what_was_said_in_its_own_session_when_many_are_prepared(settings):
    settings.LLM_CONTEXT_MESSAGES, settings.LLM_MARK_USER_TEXT = 2, False

    found = preparing.prepare(claimed("ann", "bob"))

    assert [said(one) for one in found] == [
        ["ann 1", "ann 2", "ann asks"],
        ["bob 1", "bob 2", "bob asks"],
    ]


def test_refuses_only_the_one_whose_budget_is_spent_when_many_are_prepared(settings):
    answers = claimed("ann", "bob")
    settings.SESSION_DAILY_TOKENS = 10**6
    Spending.objects.create(
        day=answers[0].timestamp.date(), scope=answers[0].session_id, tokens=10**6
    )

    spent, fine = preparing.prepare(answers)

    assert isinstance(spent.taken, Spent)
    assert spent.taken.code == "budget_session"
    assert isinstance(fine.taken, Taken)
    alls = Spending.objects.get(scope="")
    assert alls.tokens == fine.taken.amount.tokens, "nothing is counted for the other"


def test_asks_the_database_no_more_often_when_there_are_more():
    preparing.prepare(claimed("first"))  # which makes the day's row

    def asked(count):
        answers = claimed(*(f"v{count}-{number}" for number in range(count)))
        with CaptureQueriesContext(connection) as found:
            preparing.prepare(answers)
        return len([one for one in found if one["sql"].split()[0] in _ASKING])

    # What is said to all of them, and a budget; SQLite's is shown once each, and is no round trip.
    assert asked(1) <= 3
    assert asked(7) <= (2 if connection.vendor == "postgresql" else 2 + 7)


def test_tells_the_question_alone_when_nothing_earlier_is_to_be_shown(settings):
    settings.LLM_CONTEXT_MESSAGES, settings.LLM_MARK_USER_TEXT = 0, False

    (found,) = preparing.prepare(claimed("ann"))

    assert said(found) == ["ann asks"]


def test_tells_all_that_was_said_when_it_is_less_than_may_be_shown(settings):
    settings.LLM_CONTEXT_MESSAGES, settings.LLM_MARK_USER_TEXT = 3, False

    short, long = preparing.prepare(claimed("ann", "bob"))

    assert said(short) == ["ann 0", "ann 1", "ann 2", "ann asks"]
    settings.LLM_CONTEXT_MESSAGES = 4
    assert [said(one) for one in preparing.prepare(claimed("eve"))] == [
        ["eve 0", "eve 1", "eve 2", "eve asks"]
    ]
    assert said(long)[-1] == "bob asks"
