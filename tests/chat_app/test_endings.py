"""endings.py: many answers end in one transaction, and each as it would alone."""

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat_app import budgets, endings, leases
from chat_app.answers import Outcome
from chat_app.budgets import Amount
from chat_app.endings import Ended, Ending
from chat_app.models import AnswerStatus, ChatMessage, Spending
from sessions_app.models import ChatSession, Responder, SessionEvent
from tests.support import answer_of, at_once, open_session, say

pytestmark = pytest.mark.django_db

DONE = Outcome(AnswerStatus.DONE, "An answer.", model="m", prompt_tokens=3, completion_tokens=4)


def claimed(count):
    for number in range(count):
        answer_of(open_session(f"v{number}@example.com"))
    return leases.claim(most=count)


def stored(answer):
    row = ChatMessage.objects.get(pk=answer.pk)
    return row.status, row.content, row.lease_token, row.lease_until


def announced(answer):
    return list(SessionEvent.objects.filter(reference=answer.pk).values_list("seq", "kind"))


def test_ends_all_when_all_are_held():
    answers = claimed(3)

    assert endings.finish([Ending(answer, DONE) for answer in answers]) == [Ended.LAST] * 3

    for answer in answers:
        assert stored(answer) == ("done", "An answer.", "", None)
        assert announced(answer) == [(4, "answer")]
        assert ChatSession.objects.get(pk=answer.session_id).last_seq == 4
    assert set(ChatMessage.objects.filter(model="m").values_list("prompt_tokens", flat=True)) == {3}


def test_says_that_more_may_wait_when_something_was_said_meanwhile():
    asked, told, quiet = claimed(3)
    answer_of(asked.session, "And then?")
    say(told.session, "A person here.")

    found = endings.finish([Ending(answer, DONE) for answer in (asked, told, quiet)])

    assert found == [Ended.MORE, Ended.MORE, Ended.LAST]


def test_asks_the_database_no_more_often_when_there_are_more():
    def asked(count):
        ends = [Ending(answer, DONE) for answer in claimed(count)]
        with CaptureQueriesContext(connection) as found:
            endings.finish(ends)
        words = [query["sql"].split(None, 1)[0] for query in found]
        return sum(word in {"SELECT", "INSERT", "UPDATE", "EXECUTE"} for word in words)

    assert asked(2) <= 5
    # One statement for all answers; SQLite's is shown once each, and costs no round trip there.
    many = asked(9)
    assert many <= (5 if connection.vendor == "postgresql" else 5 + 9)


def test_ends_the_others_when_one_was_lost():
    lost, held = claimed(2)
    ChatMessage.objects.filter(pk=lost.pk).update(lease_token="another's")

    assert endings.finish([Ending(lost, DONE), Ending(held, DONE)]) == [Ended.LOST, Ended.MORE]

    assert stored(lost)[0] == "running"
    assert announced(lost) == []
    assert stored(held)[:2] == ("done", "An answer.")
    assert announced(held) == [(4, "answer")]


def test_ends_the_others_when_a_person_took_one_over():
    taken, held = claimed(2)
    ChatSession.objects.filter(pk=taken.session_id).update(responder=Responder.HUMAN)

    assert endings.finish([Ending(taken, DONE), Ending(held, DONE)]) == [Ended.LOST, Ended.MORE]

    assert ChatSession.objects.get(pk=taken.session_id).last_seq == 3
    assert stored(held)[0] == "done"


def test_ends_an_answer_once_when_it_is_told_twice():
    (answer,) = claimed(1)

    assert endings.finish([Ending(answer, DONE), Ending(answer, DONE)]) == [Ended.MORE, Ended.LOST]

    assert announced(answer) == [(4, "answer")]


def test_settles_what_was_taken_when_all_end_and_when_one_is_lost():
    answers = claimed(3)
    taken = [budgets.take(session_id=one.session_id, most=Amount(100)) for one in answers]
    ends = [Ending(*one, used=Amount(30)) for one in zip(answers, [DONE] * 3, taken, strict=True)]

    endings.finish(ends[:2])
    ChatMessage.objects.filter(pk=answers[2].pk).update(lease_token="another's")
    endings.finish(ends[2:])

    tokens = dict(Spending.objects.values_list("scope", "tokens"))
    assert tokens == {"": 90, **{one.session_id: 30 for one in answers}}


def test_settles_once_when_it_is_not_told_that_all_was_stored(monkeypatch):
    answers = claimed(2)
    taken = [budgets.take(session_id=one.session_id, most=Amount(100)) for one in answers]
    store = endings._at_once

    def cut(given):
        store(given)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(endings, "_at_once", cut)
    endings.finish(
        [Ending(*one, used=Amount(30)) for one in zip(answers, [DONE] * 2, taken, strict=True)]
    )

    tokens = dict(Spending.objects.values_list("scope", "tokens"))
    assert tokens == {"": 60, **{one.session_id: 30 for one in answers}}
    assert all(len(announced(answer)) == 1 for answer in answers)


def test_ends_an_answer_when_its_budget_cannot_be_settled(monkeypatch):
    (answer,) = claimed(1)
    taken = budgets.take(session_id=answer.session_id, most=Amount(100))

    def locked(_changes):
        raise OperationalError("lock timeout")

    monkeypatch.setattr(budgets, "settle", locked)

    assert endings.finish([Ending(answer, DONE, taken, Amount(30))]) == [Ended.MORE]
    assert stored(answer)[0] == "done"


@pytest.mark.django_db(transaction=True)
def test_no_two_wait_for_each_other_when_many_end_at_once():
    answers = claimed(8)
    ends = [Ending(answer, DONE) for answer in answers]

    found = at_once([lambda: endings.finish(ends), lambda: endings.finish(ends[::-1])])

    held = [sum(one != Ended.LOST for one in ended) for ended in found]
    assert sorted(held) in ([0, 8], *([n, 8 - n] for n in range(1, 5)))
    assert {stored(answer)[0] for answer in answers} == {"done"}
    assert all(len(announced(answer)) == 1 for answer in answers)


def test_ends_each_alone_when_the_database_refuses_them_together(monkeypatch):
    answers = claimed(2)

    def deadlock(_endings):
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(endings, "_at_once", deadlock)

    assert endings.finish([Ending(answer, DONE) for answer in answers]) == [Ended.MORE] * 2
    assert {stored(answer)[0] for answer in answers} == {"done"}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
@pytest.mark.django_db(transaction=True)
def test_ends_the_others_when_somebody_holds_one_session():
    answers = claimed(3)

    def finish():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return endings.finish([Ending(answer, DONE) for answer in answers])

    with transaction.atomic():
        ChatSession.objects.select_for_update().get(pk=answers[1].session_id)
        (found,) = at_once([finish])

    assert [type(one) for one in found] == [Ended, OperationalError, Ended]
    assert [stored(answer)[0] for answer in answers] == ["done", "running", "done"]


def test_asks_only_a_few_times_when_the_database_takes_nothing(monkeypatch):
    asked = []

    def away(**given):
        asked.append(given)
        raise OperationalError("away")

    answers = claimed(5)
    monkeypatch.setattr(endings, "_at_once", lambda _endings: {})
    monkeypatch.setattr("chat_app.answers.finish", away)

    found = endings.finish([Ending(answer, DONE) for answer in answers])

    assert [type(one) for one in found] == [OperationalError] * 5
    assert len(asked) == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
@pytest.mark.django_db(transaction=True)
def test_keeps_the_other_leases_when_an_answer_is_just_ending():
    ending, kept = claimed(2)
    ChatMessage.objects.update(lease_until=timezone.now())

    with transaction.atomic():
        ChatMessage.objects.filter(pk=ending.pk).update(model="held")
        (found,) = at_once([lambda: leases.keep({ending.lease_token})])

    assert found == {ending.pk, kept.pk}
    kept.refresh_from_db()
    assert kept.lease_until > timezone.now()
