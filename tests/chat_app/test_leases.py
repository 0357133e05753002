"""leases.py and answers.py: one holder at a time, one end, whatever dies in between."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat_app import answers, leases
from chat_app.answers import Outcome
from chat_app.models import AnswerStatus, ChatMessage
from tests.support import answer_of, ask, at_once, claim, finish, open_session, run_task

pytestmark = pytest.mark.django_db

DONE = Outcome(AnswerStatus.DONE, "An answer.")


def lapse(answer):
    """Its maker fell silent."""
    ChatMessage.objects.filter(pk=answer.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def status(answer):
    answer.refresh_from_db()
    return answer.status


def test_holds_the_answer_when_it_was_claimed(session):
    question = ask(session, "Why?")

    answer = claim()

    assert (answer.status, answer.attempt) == ("running", 1)
    assert answer.reply_to.content == question.content
    assert answer.lease_token
    assert answer.lease_until > timezone.now()
    assert leases.claim(most=10) == []


def test_claims_nothing_when_nothing_waits(db):
    assert leases.claim(most=10) == []


def test_claims_no_more_than_there_is_room_for_when_many_wait(db):
    for number in range(5):
        answer_of(open_session(f"v{number}@example.com"))

    assert len(leases.claim(most=3)) == 3
    assert len(leases.claim(most=3)) == 2


def test_claims_the_oldest_first_when_many_wait(db):
    expected = [answer_of(open_session(f"v{number}@example.com")).pk for number in range(3)]

    assert [answer.pk for answer in leases.claim(most=3)] == expected


def test_claims_one_of_a_session_at_a_time_when_several_wait(session):
    first, second = answer_of(session, "First"), answer_of(session, "Second")

    assert [answer.pk for answer in leases.claim(most=10)] == [first.pk]
    assert leases.claim(most=10) == []
    ChatMessage.objects.filter(pk=first.pk).update(status="done")
    assert [answer.pk for answer in leases.claim(most=10)] == [second.pk]


def test_claims_it_again_when_its_maker_fell_silent(session):
    answer_of(session)
    stale = claim()
    lapse(stale)

    fresh = claim()

    assert (fresh.pk, fresh.attempt) == (stale.pk, 2)
    assert fresh.lease_token != stale.lease_token


def test_lets_the_stale_holder_write_nothing_when_another_has_it(session):
    answer_of(session)
    stale = claim()
    lapse(stale)
    fresh = claim()
    events = session.events.count()

    assert not answers.finish(answer=stale, outcome=Outcome(AnswerStatus.DONE, "Stale"))

    assert status(fresh) == "running"
    assert session.events.count() == events
    session.refresh_from_db()
    assert session.last_seq == session.events.order_by("-seq").first().seq + 1  # the answer's own
    assert answers.finish(answer=fresh, outcome=DONE)
    assert leases.give_back([stale]) == 0
    assert (status(fresh), fresh.content) == ("done", "An answer.")


def test_lets_the_holder_write_when_its_lease_ran_out_and_nobody_took_over(session):
    answer_of(session)
    late = claim()
    lapse(late)

    assert answers.finish(answer=late, outcome=DONE)


def test_ends_once_when_finished_twice(session):
    answer_of(session)
    answer = claim()

    assert answers.finish(answer=answer, outcome=DONE)
    assert not answers.finish(answer=answer, outcome=Outcome(AnswerStatus.FAILED, "x"))

    assert (status(answer), answer.content) == ("done", "An answer.")
    assert [event.kind for event in session.events.order_by("seq")] == [
        "opened",
        "message",
        "answer",
    ]
    assert (answer.lease_token, answer.lease_until) == ("", None)
    assert answer.finished_at is not None


def test_stores_all_of_the_outcome_when_it_ends(session):
    from decimal import Decimal

    answer_of(session)
    answer = claim()
    outcome = Outcome(
        AnswerStatus.DONE,
        "Text",
        model="openai/echo",
        prompt_tokens=7,
        completion_tokens=8,
        cost=Decimal("0.00000123"),
        first_token_ms=9,
    )

    answers.finish(answer=answer, outcome=outcome)

    answer.refresh_from_db()
    assert (answer.model, answer.prompt_tokens, answer.completion_tokens) == ("openai/echo", 7, 8)
    assert (answer.cost, answer.first_token_ms) == (Decimal("0.00000123"), 9)


def test_keeps_the_lease_when_its_holder_is_alive(session):
    answer_of(session)
    answer = claim()
    ChatMessage.objects.update(lease_until=timezone.now() + timedelta(milliseconds=1))

    assert leases.keep({answer.lease_token}) == {answer.pk}

    answer.refresh_from_db()
    assert answer.lease_until > timezone.now() + timedelta(seconds=5)


def test_keeps_nothing_when_the_lease_was_lost_or_the_answer_is_unwanted(session):
    answer_of(session)
    stale = claim()
    lapse(stale)
    fresh = claim()
    ChatMessage.objects.update(stop_requested=True)

    assert leases.keep({stale.lease_token}) == set()
    assert leases.keep({fresh.lease_token}) == set()
    assert leases.keep(set()) == set()


def test_waits_again_as_if_never_tried_when_given_back(session):
    answer_of(session)
    answer = claim()

    assert leases.give_back([answer]) == 1

    assert status(answer) == "queued"
    assert (answer.attempt, answer.lease_token, answer.lease_until) == (0, "", None)
    assert claim().attempt == 1


def test_fails_with_the_fallback_text_when_it_was_tried_enough(session, settings):
    answer_of(session)
    for _ in range(settings.ANSWER_ATTEMPTS):
        lapse(claim())
    assert leases.claim(most=10) == []

    assert answers.sweep() == 1

    answer = session.messages.get(message_type="assistant")
    assert (answer.status, answer.content) == ("failed", settings.LLM_FALLBACK_TEXT)
    assert (answer.degraded, answer.error) == (True, "attempts_exhausted")
    assert answers.sweep() == 0


def test_leaves_the_last_attempt_alone_when_it_is_still_held(session, settings):
    settings.ANSWER_ATTEMPTS = 1
    answer_of(session)
    answer = claim()

    assert answers.sweep() == 0
    assert status(answer) == "running"


def test_rings_when_answers_wait(session, redis, django_capture_on_commit_callbacks):
    from chatsite.core import live

    with django_capture_on_commit_callbacks(execute=True):
        answer_of(session)
    live.flush(5)
    redis.delete("chatsite:replies")

    with django_capture_on_commit_callbacks(execute=True):
        answers.sweep()

    assert live.flush(5)
    assert redis.llen("chatsite:replies") == 1


def test_rings_nothing_when_nothing_waits(session, redis, django_capture_on_commit_callbacks):
    from chatsite.core import live

    with django_capture_on_commit_callbacks(execute=True):
        assert answers.sweep() == 0

    assert live.flush(5)
    assert redis.exists("chatsite:replies") == 0


def test_sweeps_when_the_task_runs_and_no_engine_is_there(session, settings):
    settings.ANSWER_ATTEMPTS = 1
    answer_of(session)
    answer = claim()
    lapse(answer)

    run_task("chat_app.tasks.answer")
    run_task("chat_app.tasks.sweep")

    assert status(answer) == "failed"


def test_stops_nothing_when_a_worker_was_faster(session):
    waiting = answer_of(session)
    claim()

    assert not answers.stop_waiting(answer=waiting)
    assert status(waiting) == "running"


@pytest.mark.django_db(transaction=True)
def test_has_one_holder_when_ten_claim_at_once(db):
    expected = {answer_of(open_session(f"v{number}@example.com")).pk for number in range(20)}

    claimed = at_once([lambda: leases.claim(most=20)] * 8)

    found = [answer.pk for claim_ in claimed for answer in claim_]
    assert len(found) == len(set(found))
    assert set(found) <= expected
    left = {answer.pk for answer in leases.claim(most=20)}
    assert set(found) | left == expected


@pytest.mark.django_db(transaction=True)
def test_has_one_end_when_two_finish_at_once(db):
    session = open_session()
    answer_of(session)
    answer = claim()

    ended = at_once([lambda: answers.finish(answer=answer, outcome=DONE)] * 6)

    assert sorted(ended) == [False] * 5 + [True]
    assert session.events.filter(kind="answer").count() == 1


@pytest.mark.django_db(transaction=True)
def test_numbers_everything_once_when_posts_and_answers_meet(db):
    session = open_session()
    answer_of(session)
    answer = claim()

    at_once(
        [
            lambda: answers.finish(answer=answer, outcome=DONE),
            *[lambda: ask(session) for _ in range(6)],
        ]
    )

    session.refresh_from_db()
    numbers = [
        *session.messages.values_list("seq", flat=True),
        *session.events.exclude(kind="message").values_list("seq", flat=True),
    ]
    assert sorted(numbers) == list(range(1, session.last_seq + 1))


def test_finishes_in_order_when_a_session_asks_twice(session):
    first, second = ask(session, "First"), ask(session, "Second")

    assert [finish().reply_to_id, finish().reply_to_id] == [first.pk, second.pk]
