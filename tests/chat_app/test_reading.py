"""`GET /chat/messages`, `GET /chat/history`, and stopping: what a visitor reads back."""

import pytest

from chat_app import answers, leases
from chat_app.models import AnswerStatus, ChatMessage
from sessions_app.models import ChatSession, Responder
from tests.support import answer_of, ask, claim, fields, finish, open_session, problem, say

pytestmark = pytest.mark.django_db

STRANGE_IDS = ["x", "x" * 22, "..", "%00", "%0a", "%F0%9F%98%80", "%ff", "x" * 5000, "'", "-1"]


# --- One message ----------------------------------------------------------------------------------


def test_shows_the_question_when_it_is_the_visitors(visitor, session):
    answer = answer_of(session, "**Hello** <b>?")

    body = visitor.get(f"/chat/messages/{answer.reply_to_id}").json()

    timestamp = body.pop("timestamp")
    assert timestamp.endswith("Z")
    assert body == {
        "id": answer.reply_to_id,
        "message_type": "user",
        "text": "**Hello** <b>?",
        "html": "<p><strong>Hello</strong> &lt;b&gt;?</p>\n",
        "status": "done",
        "reply_to": None,
        "answer_id": answer.pk,
        "author": "",
        "safety": False,
        "degraded": False,
    }


def test_shows_the_answer_when_it_is_done(visitor, session):
    ask(session)
    answer = finish("It is **so**.")

    body = visitor.get(f"/chat/messages/{answer.pk}").json()

    assert (body["message_type"], body["status"]) == ("assistant", "done")
    assert (body["reply_to"], body["answer_id"]) == (answer.reply_to_id, None)
    assert (body["text"], body["html"]) == ("It is **so**.", "<p>It is <strong>so</strong>.</p>\n")


def test_says_the_same_when_a_message_is_anothers_and_when_there_is_none(visitor):
    others = answer_of(open_session("bob@example.com"))
    paths = [f"/chat/messages/{pk}" for pk in (others.pk, others.reply_to_id, "x" * 22)]

    bodies = [problem(visitor.get(path), 404, "not_found") for path in paths]

    for body in bodies:
        del body["request_id"]
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.mark.parametrize("pk", STRANGE_IDS)
def test_says_not_found_when_the_id_can_be_none(visitor, pk):
    problem(visitor.get(f"/chat/messages/{pk}"), 404, "not_found")
    problem(visitor.post(f"/chat/answers/{pk}/stop"), 404, "not_found")


# --- Stopping -------------------------------------------------------------------------------------


def test_stops_at_once_when_nobody_began_the_answer(visitor, session):
    answer = answer_of(session)

    response = visitor.post(f"/chat/answers/{answer.pk}/stop")

    assert response.status_code == 200
    assert (response.json()["status"], response.json()["text"]) == ("stopped", "")
    answer.refresh_from_db()
    assert answer.finished_at is not None
    assert session.events.order_by("-seq").first().kind == "answer"


def test_changes_nothing_when_the_answer_is_stopped_again(visitor, session):
    answer = answer_of(session)
    first = visitor.post(f"/chat/answers/{answer.pk}/stop").json()
    events = session.events.count()

    assert visitor.post(f"/chat/answers/{answer.pk}/stop").json() == first
    assert session.events.count() == events


def test_changes_nothing_when_the_stopped_answer_is_done(visitor, session):
    ask(session)
    answer = finish("Done already.")

    body = visitor.post(f"/chat/answers/{answer.pk}/stop").json()

    assert (body["status"], body["text"]) == ("done", "Done already.")
    answer.refresh_from_db()
    assert answer.stop_requested is False


def test_says_not_found_when_the_answer_is_anothers_or_a_question(visitor, session):
    others = answer_of(open_session("bob@example.com"))
    own = ask(session)

    problem(visitor.post(f"/chat/answers/{others.pk}/stop"), 404, "not_found")
    problem(visitor.post(f"/chat/answers/{own.pk}/stop"), 404, "not_found")
    others.refresh_from_db()
    assert others.status == "queued"


def test_asks_the_worker_when_the_answer_is_running(session):
    from chat_app import services

    answer_of(session)
    running = claim()

    shown = services.request_stop(session=session, answer_id=running.pk)

    assert (shown.status, shown.stop_requested) == ("running", True)
    assert leases.keep({running.lease_token}) == set()


def test_stops_the_answer_when_a_worker_gave_it_back_meanwhile(session):
    answer_of(session)
    running = claim()
    ChatMessage.objects.filter(pk=running.pk).update(stop_requested=True)
    leases.give_back([running])

    assert answers.sweep() == 1

    running.refresh_from_db()
    assert (running.status, running.degraded, running.content) == ("stopped", False, "")


# --- History --------------------------------------------------------------------------------------


def history(visitor, query=""):
    response = visitor.get(f"/chat/history{query}")
    assert response.status_code == 200, response.content
    return response.json()


def test_pairs_a_question_with_its_answer_when_it_has_one(visitor, session):
    question = ask(session, "What do you sell?")
    answer = finish("Chairs & <tables>.")

    body = history(visitor)

    assert set(body) == {"messages", "has_more", "before", "after"}
    (pair,) = body["messages"]
    assert pair.pop("timestamp").endswith("Z")
    assert pair == {
        "id": question.pk,
        "message": "What do you sell?",
        "response": "Chairs & <tables>.",
        "response_html": "<p>Chairs &amp; &lt;tables&gt;.</p>\n",
        "answer_id": answer.pk,
        "answered_by": "ai",
        "author": "",
        "safety": False,
        "degraded": False,
        "idempotency_key": None,
        "status": "done",
        "browser_hash": session.browser_hash,
        "ip_address": "127.0.0.1",
    }
    assert (body["has_more"], body["before"], body["after"]) == (False, "2", "2")


def test_is_empty_when_nothing_was_said(visitor):
    assert history(visitor) == {"messages": [], "has_more": False, "before": None, "after": None}


def test_pairs_by_what_was_answered_when_answers_come_out_of_order(visitor, session):
    first, second = ask(session, "First"), ask(session, "Second")
    for question in (second, first):
        ChatMessage.objects.filter(reply_to=question).update(
            status="done", content=f"To {question.content}"
        )

    pairs = [(pair["message"], pair["response"]) for pair in history(visitor)["messages"]]

    assert pairs == [("First", "To First"), ("Second", "To Second")]


def test_shows_what_staff_say_when_nobody_asked(visitor, session):
    ask(session, "Anyone?")
    said = say(session, "Yes, me.")

    pair = history(visitor)["messages"][1]

    assert (pair["id"], pair["message"], pair["response"]) == (said.pk, "", "Yes, me.")
    assert (pair["answered_by"], pair["status"]) == ("staff", "done")


def test_shows_no_answer_when_it_is_not_there_yet(visitor, session):
    ask(session, "Waiting")
    ChatSession.objects.update(responder=Responder.HUMAN)
    ask(session, "With a person")

    first, second = history(visitor)["messages"]

    assert (first["status"], first["response"], first["response_html"]) == ("queued", "", "")
    assert (second["status"], second["answered_by"]) == ("with_staff", None)


def test_shows_only_ones_own_when_others_talk(visitor, session):
    ask(open_session("bob@example.com"), "Bob's")
    ask(session, "Mine")

    assert [pair["message"] for pair in history(visitor)["messages"]] == ["Mine"]


@pytest.fixture
def spoken(session):
    """Seven questions."""
    for number in range(7):
        ask(session, f"Q{number}")


def texts(body):
    return [pair["message"] for pair in body["messages"]]


def test_gives_the_latest_oldest_first_when_there_are_more(visitor, spoken):
    body = history(visitor, "?limit=3")

    assert texts(body) == ["Q4", "Q5", "Q6"]
    assert body["has_more"] is True


def test_walks_back_to_the_beginning_when_before_is_followed(visitor, spoken):
    pages, body = [], history(visitor, "?limit=3")
    while True:
        pages.append(texts(body))
        if not body["has_more"]:
            break
        body = history(visitor, f"?limit=3&before={body['before']}")

    assert pages == [["Q4", "Q5", "Q6"], ["Q1", "Q2", "Q3"], ["Q0"]]


def test_walks_forward_to_the_end_when_after_is_followed(visitor, spoken):
    pages, body = [], history(visitor, "?limit=3&after=0")
    while True:
        pages.append(texts(body))
        if not body["has_more"]:
            break
        body = history(visitor, f"?limit=3&after={body['after']}")

    assert pages == [["Q0", "Q1", "Q2"], ["Q3", "Q4", "Q5"], ["Q6"]]


def test_gives_what_is_between_when_both_cursors_are_given(visitor, spoken):
    everything = history(visitor)
    after = int(everything["after"]) - 8  # Q2

    assert texts(history(visitor, f"?after={after}&before={everything['after']}")) == [
        "Q3",
        "Q4",
        "Q5",
    ]


def test_takes_two_hundred_when_more_is_asked(visitor, session):
    ChatMessage.objects.bulk_create(
        ChatMessage(session=session, seq=10 + number, message_type="user", content="x")
        for number in range(205)
    )

    body = history(visitor, "?limit=1000000000")

    assert len(body["messages"]) == 200
    assert body["has_more"] is True
    assert len(history(visitor)["messages"]) == 50


@pytest.mark.parametrize("name", ["limit", "before", "after"])
@pytest.mark.parametrize(
    "value",
    ["-1", "1e3", "٣", "", " 1", "1.5", "x", "0x10", "9" * 17, "9" * 5000, "1_0", "null", "%00"],
)
def test_names_the_parameter_when_it_is_no_number(visitor, name, value):
    assert fields(visitor.get(f"/chat/history?{name}={value}")) == [name]


@pytest.mark.parametrize("query", ["limit=0", "limit=00"])
def test_names_the_limit_when_it_is_zero(visitor, query):
    assert fields(visitor.get(f"/chat/history?{query}")) == ["limit"]


@pytest.mark.parametrize("name", ["session__id", "seq__gt", "offset", "order_by", "__"])
def test_names_the_parameter_when_it_is_unknown(visitor, name):
    assert fields(visitor.get(f"/chat/history?{name}=1")) == [name]


def test_gives_nothing_when_a_cursor_is_forged(visitor, spoken):
    assert texts(history(visitor, "?after=9007199254740991")) == []
    assert texts(history(visitor, "?before=0")) == []


def test_takes_a_fixed_number_of_queries_when_reading(visitor, session, django_assert_num_queries):
    for number in range(20):
        ask(session, f"Q{number}")
    with django_assert_num_queries(2):
        assert len(history(visitor)["messages"]) == 20
    with django_assert_num_queries(2):
        visitor.get(f"/chat/messages/{ChatMessage.objects.none().first() or 'x' * 22}")


# --- What a row says of itself --------------------------------------------------------------------


def test_names_itself_without_its_words_when_shown(session):
    question = ask(session, "secret")

    assert str(question) == f"user {question.pk}"
    assert [status for status in AnswerStatus if not ChatMessage(status=status).is_finished] == [
        "queued",
        "running",
    ]


def test_takes_two_queries_when_the_history_is_read(visitor, session, django_assert_num_queries):
    for number in range(5):
        ask(session, f"Question {number}?")
        finish()

    with django_assert_num_queries(2):  # the session, and the page with its answers
        assert len(visitor.get("/chat/history").json()["messages"]) == 5
