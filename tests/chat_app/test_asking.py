"""`POST /chat` without waiting: what is stored, what is refused, what a key repeats."""

import asyncio

import pytest
from django.db import connection

from chat_app import budgets
from chat_app.models import ChatMessage
from sessions_app.models import ChatSession, Responder, SessionEvent
from tests.support import answer_of, at_once, fields, open_session, problem

pytestmark = pytest.mark.django_db

ATTACK = "<script>alert('xss')</script>"


def rows(session):
    return list(ChatMessage.objects.filter(session=session).order_by("seq"))


def test_accepts_and_says_where_when_asked_not_to_wait(visitor, session):
    response = visitor.leave("What do you sell?")

    assert response.status_code == 202
    body = response.json()
    question, answer = rows(session)
    assert body == {
        "success": True,
        "message_id": question.pk,
        "answer_id": answer.pk,
        "status": "queued",
    }
    assert response["Location"] == f"/chat/messages/{answer.pk}"
    assert response["Cache-Control"] == "no-store"


def test_stores_the_question_and_its_answer_to_be_when_asked(visitor, session):
    response = visitor.leave("What do you sell?", x_request_id="request-0001")

    question, answer = rows(session)
    assert (question.message_type, question.seq, question.status) == ("user", 2, "done")
    assert (answer.message_type, answer.seq, answer.status) == ("assistant", 3, "queued")
    assert answer.reply_to == question
    assert question.request_id == answer.request_id == "request-0001"
    assert response["X-Request-ID"] == "request-0001"
    session.refresh_from_db()
    assert (session.message_count, session.last_seq) == (1, 3)
    assert list(SessionEvent.objects.values_list("seq", "kind", "reference")) == [
        (1, "opened", ""),
        (2, "message", question.pk),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "  spaces before and after \n",
        "a < b && c > d; \"quotes\" 'n' <b>bold</b> &amp; &lt;",
        "line\r\nbreak\ttab\u2028separator",
        "🧑‍🚀 ünïcödé 漢字 עברית \u202eoverride",
        "ｆｕｌｌ-ｗｉｄｔｈ and zero\u200bwidth",
        "e\u0301 is not é",
        "{{ braces }} {% tags %} $HOME `ls`",
        "x" * 4000,
        "😀" * 4000,
        "\x01\x02bell\x07",
    ],
    ids=lambda text: repr(text[:16]),
)
def test_stores_the_text_unchanged_when_it_is_posted(visitor, session, text):
    assert visitor.leave(text).status_code == 202

    question, _ = rows(session)
    assert question.content == text
    message = visitor.get(f"/chat/messages/{question.pk}").json()
    assert message["text"] == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t", "\u200b\u200d\ufeff", "\u2028\u2029", "\u00a0\u3000", "\u202e", "\x00\x01"],
    ids=repr,
)
def test_names_the_field_when_the_message_says_nothing(visitor, session, text):
    assert fields(visitor.leave(text)) == ["message"]
    assert rows(session) == []


@pytest.mark.parametrize("given", [None, 1, 1.5, True, ["x"], {"text": "x"}])
def test_names_the_field_when_the_message_is_no_text(visitor, given):
    assert fields(visitor.leave(given)) == ["message"]


def test_names_the_field_when_the_message_is_missing_or_too_long(visitor, settings):
    assert fields(visitor.post("/chat", {})) == ["message"]
    assert fields(visitor.leave("x" * 4001)) == ["message"]
    settings.MAX_MESSAGE_LENGTH = 5
    assert visitor.leave("12345").status_code == 202
    error = problem(visitor.leave("123456"), 400, "invalid_input")["errors"][0]
    assert (error["code"], "5 characters" in error["detail"]) == ("max_length", True)


def test_names_the_field_when_the_message_has_a_nul(visitor):
    assert fields(visitor.leave("a\x00b")) == ["message"]


def test_suspects_a_bot_when_the_user_agent_is_short(visitor, session):
    problem(visitor.leave("Hello?", user_agent="bot"), 403, "bot_suspected")
    assert rows(session) == []


def test_answers_for_safety_when_the_message_looks_like_an_attack(visitor, session):
    response = visitor.ask(ATTACK)

    assert response.status_code == 200
    body = response.json()
    question, answer = rows(session)
    assert set(body) == {
        "success",
        "response",
        "response_html",
        "message_id",
        "answer_id",
        "status",
        "safety",
        "degraded",
    }
    assert (body["success"], body["safety"], body["degraded"]) == (True, True, False)
    assert (body["status"], body["message_id"], body["answer_id"]) == (
        "done",
        question.pk,
        answer.pk,
    )
    assert "safety" in body["response"].lower()
    assert "rephrase" in body["response"].lower()
    assert question.content == ATTACK
    assert answer.content == body["response"]
    assert (question.safety, answer.safety, answer.attempt) == (True, True, 0)
    assert question.labels
    kinds = list(SessionEvent.objects.order_by("seq").values_list("kind", flat=True))
    assert kinds == ["opened", "message", "answer"]


def test_only_labels_when_screening_is_set_to_label(visitor, session, settings):
    settings.SCREENING_ACTION = "label"

    assert visitor.leave(ATTACK).json()["status"] == "queued"

    question, answer = rows(session)
    assert question.labels
    assert (question.safety, answer.safety, answer.status) == (False, False, "queued")


def test_accepts_without_an_answer_when_a_person_has_taken_over(visitor, session):
    ChatSession.objects.update(responder=Responder.HUMAN)

    response = visitor.ask("Is anybody there?")

    assert response.status_code == 202
    (question,) = rows(session)
    assert response.json() == {
        "success": True,
        "message_id": question.pk,
        "answer_id": None,
        "status": "with_staff",
    }
    assert response["Location"] == f"/chat/messages/{question.pk}"


# --- Limits ---------------------------------------------------------------------------------------


def test_refuses_with_the_limit_when_a_session_asks_too_often(visitor, session):
    answers = [visitor.leave("Hello?") for _ in range(12)]

    assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 2
    refused = answers[-1]
    problem(refused, 429, "rate_limited")
    wait = int(refused["Retry-After"])
    assert refused["RateLimit"] == f'"chat";r=0;t={wait}'
    assert refused["RateLimit-Policy"] == '"chat";q=10;w=60'
    session.refresh_from_db()
    assert session.message_count == 10


def test_refuses_with_the_address_when_its_sessions_ask_too_often(api, settings):
    settings.CHAT_ADDRESS_RATE_LIMIT = "3/hour"
    visitors = [api.with_session(open_session()) for _ in range(4)]

    answers = [visitor.leave("Hello?") for visitor in visitors]

    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert answers[-1]["RateLimit-Policy"] == '"chat-address";q=3;w=3600'


def test_counts_the_session_by_itself_when_others_share_its_address(api, settings):
    settings.CHAT_RATE_LIMIT = "1/minute"
    first, second = (api.with_session(open_session()) for _ in range(2))

    found = [one.leave("Hello?").status_code for one in (first, first, second)]

    assert found == [202, 429, 202]


def test_refuses_with_message_limit_when_the_session_has_sent_all(api):
    session = open_session(message_count=49)
    visitor = api.with_session(session)

    assert visitor.leave("The fiftieth").status_code == 202
    refused = visitor.leave("One more")

    problem(refused, 429, "message_limit")
    session.refresh_from_db()
    assert session.message_count == 50
    assert len(rows(session)) == 2


def test_refuses_with_unavailable_when_too_much_is_waiting(visitor, session, settings):
    settings.BACKLOG_LIMIT = 2
    answer_of(open_session())
    assert visitor.leave("Second").status_code == 202

    refused = visitor.leave("Third")

    problem(refused, 503, "unavailable")
    assert refused["Retry-After"] == "10"
    assert visitor.ask(ATTACK).status_code == 200  # costs the model nothing


def test_refuses_at_the_store_when_the_session_ends_after_it_was_authenticated(session):
    from chat_app import services
    from sessions_app import services as sessions
    from sessions_app.authentication import SessionClosed

    sessions.close_session(session_id=session.pk, closed_by="staff")

    with pytest.raises(SessionClosed):
        services.post_message(session=session, text="Too late")
    assert rows(session) == []


# --- Idempotency ----------------------------------------------------------------------------------


def test_replays_the_first_answer_when_the_key_comes_again(visitor, session):
    first = visitor.leave("Hello?", idempotency_key="key-1")
    again = visitor.leave("Hello?", idempotency_key="key-1")

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert not first.has_header("Idempotency-Replayed")
    assert again["Idempotency-Replayed"] == "true"
    session.refresh_from_db()
    assert session.message_count == 1


def test_spends_no_limit_when_the_key_comes_again(visitor, session, settings):
    settings.CHAT_RATE_LIMIT = "2/minute"
    settings.MESSAGE_LIMIT = 2
    found = [visitor.leave("Hello?", idempotency_key="k").status_code for _ in range(6)]

    assert set(found) == {202}
    assert visitor.leave("Another").status_code == 202
    assert visitor.leave("Hello?", idempotency_key="k").status_code == 202


def test_refuses_the_key_when_it_comes_with_another_message(visitor, session):
    visitor.leave("Hello?", idempotency_key="key-1")

    problem(visitor.leave("Hello!", idempotency_key="key-1"), 422, "idempotency_key_reused")
    assert len(rows(session)) == 2


def test_keeps_keys_apart_when_sessions_use_the_same(api):
    visitors = [api.with_session(open_session()) for _ in range(2)]

    found = {one.leave("Hello?", idempotency_key="k").json()["message_id"] for one in visitors}

    assert len(found) == 2


def test_replays_the_safety_answer_when_the_key_comes_again(visitor):
    first, again = (visitor.ask(ATTACK, idempotency_key="k") for _ in range(2))

    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"


def test_replays_without_an_answer_when_a_person_has_taken_over(visitor):
    ChatSession.objects.update(responder=Responder.HUMAN)
    first, again = (visitor.ask("Hello?", idempotency_key="k") for _ in range(2))

    assert first.json() == again.json()
    assert again.json()["status"] == "with_staff"


@pytest.mark.parametrize("key", ["k" * 256, "two words", "ünï", "tab\tkey", " "])
def test_names_the_header_when_the_key_is_not_well_formed(visitor, session, key):
    assert fields(visitor.leave("Hello?", idempotency_key=key)) == ["idempotency_key"]
    assert rows(session) == []


def test_takes_the_key_when_it_has_255_characters(visitor):
    assert visitor.leave("Hello?", idempotency_key="k" * 255).status_code == 202


# --- At once --------------------------------------------------------------------------------------


def posts(api, session, texts, **options):
    """Each text posted at the same moment, each over a client of its own."""
    from django.test import Client

    from tests.support import Api

    def call(text):
        return lambda: Api(Client(), session).leave(text, **options)

    return at_once([call(text) for text in texts])


@pytest.mark.django_db(transaction=True)
def test_stores_exactly_fifty_when_twenty_come_at_once_at_forty(api, settings):
    settings.RATE_LIMITING_ENABLED = False
    session = open_session(message_count=40)

    answers = posts(api, session, [f"Number {number}" for number in range(20)])

    assert sorted(answer.status_code for answer in answers) == [202] * 10 + [429] * 10
    for refused in (answer for answer in answers if answer.status_code == 429):
        problem(refused, 429, "message_limit")
    session.refresh_from_db()
    assert session.message_count == 50
    stored = rows(session)
    assert len(stored) == 20
    assert [row.seq for row in stored] == list(range(2, 22))
    assert all(row.reply_to_id == stored[at - 1].pk for at, row in enumerate(stored) if at % 2)


@pytest.mark.django_db(transaction=True)
def test_stores_one_row_when_a_key_comes_twenty_times_at_once(db):
    from chat_app import services

    session = open_session()

    def post():
        return services.post_message(session=session, text="Hello?", client_key="same")

    posted = at_once([post] * 20)

    assert len({one.question.pk for one in posted}) == len({one.answer.pk for one in posted}) == 1
    assert sorted(one.replayed for one in posted) == [False] + [True] * 19
    assert len(rows(session)) == 2
    session.refresh_from_db()
    assert (session.message_count, session.last_seq) == (1, 3)


@pytest.mark.asyncio
async def test_spends_one_of_the_limit_when_a_key_comes_twenty_times_at_once(web, settings):
    settings.CHAT_RATE_LIMIT = "2/hour"

    answers = await asyncio.gather(*[web.leave("Hello?", idempotency_key="k") for _ in range(20)])

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["message_id"] for answer in answers}) == 1
    assert sum(answer.has_header("Idempotency-Replayed") for answer in answers) == 19
    assert (await web.leave("Another")).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_lets_exactly_the_limit_pass_when_thirty_come_at_once(api, settings):
    settings.CHAT_RATE_LIMIT = "10/hour"
    session = open_session()

    answers = posts(api, session, ["Hello?"] * 30)

    assert sorted(answer.status_code for answer in answers) == [202] * 10 + [429] * 20
    assert len(rows(session)) == 20


# --- Cost -----------------------------------------------------------------------------------------


@pytest.fixture
def _knows_the_budget(db):
    """Each process asks for the day's budget every other second, whoever posts."""
    budgets.refuse_spent()


@pytest.mark.usefixtures("_knows_the_budget")
def test_takes_a_fixed_number_of_queries_when_asking(visitor, django_assert_num_queries):
    # session, backlog, BEGIN, count and numbers, messages, events, COMMIT
    with django_assert_num_queries(7):
        assert visitor.leave("Hello?").status_code == 202


@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "k"}])
def test_writes_no_statement_with_more_values_than_psycopg_remembers(visitor, headers):
    counts = []

    def count(execute, sql, params, many, context):
        counts.append(len(params or ()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        assert visitor.leave("Hello?", **headers).status_code == 202

    assert 0 < max(counts) <= 50  # psycopg._queries.MAX_CACHED_STATEMENT_PARAMS


@pytest.mark.usefixtures("_knows_the_budget")
def test_takes_one_query_more_when_asking_with_a_key(visitor, django_assert_num_queries):
    with django_assert_num_queries(8):
        assert visitor.leave("Hello?", idempotency_key="k").status_code == 202
    with django_assert_num_queries(2):
        assert visitor.leave("Hello?", idempotency_key="k").status_code == 202
