"""`POST /chat` streaming and `GET /chat/events`: live, resumable, bounded, and never torn."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async

from chat_app import answers, stream
from chat_app.answers import Outcome
from chat_app.models import AnswerStatus
from chatsite.core import hub, live, runtime
from sessions_app import services as sessions
from sessions_app.models import ChatSession
from sessions_app.selectors import poll
from tests.support import (
    Reader,
    answer_of,
    ask,
    claim,
    fields,
    finish,
    open_session,
    problem,
    say,
    until,
)

pytestmark = pytest.mark.asyncio

STREAM = {"accept": "text/event-stream"}


async def follow(web, query="", **headers):
    return Reader(await web.get(f"/chat/events{query}", **STREAM, **headers))


async def open_streams(web, redis):
    return redis.zcard(f"chatsite:streams:{web.session.pk}")


def joined(events):
    """The text that the deltas since the last restart make."""
    text = ""
    for event in events:
        if event.name == "restart":
            text = ""
        if event.name == "delta":
            text += event.data["text"]
    return text


async def tell(answer, text, *, offset=0, attempt=100):
    delta = live.Delta(answer.session_id, answer.pk, attempt, offset, text)
    await live.publish_delta(hub.current(poll).redis, delta)


# --- One answer -----------------------------------------------------------------------------------


async def test_streams_the_question_the_pieces_and_the_answer_when_asked(web, engine, settings):
    settings.LLM_MODEL = "openai/words20-gap0.01"
    reader = Reader(await web.stream("Tell me"))

    events = await reader.rest()

    assert (events[0].name, events[-1].name) == ("message", "answer")
    assert {event.name for event in events[1:-1]} <= {"restart", "delta"}
    question, answer = events[0], events[-1]
    assert set(question.data) == {
        "id", "message_type", "text", "html", "author", "timestamp", "idempotency_key",
    }  # fmt: skip
    assert (question.data["text"], question.id) == ("Tell me", 2)
    assert set(answer.data) == {
        "answer_id",
        "message_id",
        "status",
        "response",
        "response_html",
        "safety",
        "degraded",
    }
    assert answer.data["message_id"] == question.data["id"]
    assert answer.data["response"] == "".join(f"word{number} " for number in range(20))
    assert joined(events) == answer.data["response"]
    assert sum(event.name == "delta" for event in events) > 1
    assert all(event.id is None for event in events[1:-1])
    assert answer.id == 4
    assert engine is not None


async def test_asks_the_provider_to_stream_when_somebody_watches(web, engine, provider):
    await Reader(await web.stream("Hello?")).rest()
    watching = await follow(web)
    await watching.until("answer")
    await web.ask("Watched?")
    await watching.close()

    assert [request["body"].get("stream") for request in provider.asked] == [True, True]


async def test_keeps_proxies_from_storing_when_it_streams(web, engine):
    response = await web.stream("Hello?")

    assert response["Cache-Control"] == "no-store"
    assert response["X-Accel-Buffering"] == "no"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.has_header("Content-Length")
    await Reader(response).rest()


async def test_begins_again_when_the_provider_drops_the_stream(web, engine, settings):
    settings.LLM_MODEL = "openai/words9-gap0.02-cut3"
    settings.LLM_FALLBACK_MODELS = ["openai/words5"]

    events = await Reader(await web.stream("Hello?")).rest()

    assert events[-1].data["response"] == joined(events) == "word0 word1 word2 word3 word4 "
    assert "restart" in [event.name for event in events]


async def test_streams_the_fallback_text_when_no_model_can(web, engine, settings):
    settings.LLM_MODEL = "openai/error401"

    events = await Reader(await web.stream("Hello?")).rest()

    assert (events[-1].data["status"], events[-1].data["degraded"]) == ("failed", True)
    assert joined(events) == events[-1].data["response"] == settings.LLM_FALLBACK_TEXT


async def test_streams_the_safety_answer_when_the_message_is_an_attack(web):
    events = await Reader(await web.stream("<script>alert('xss')</script>")).rest()

    assert [event.name for event in events] == ["message", "restart", "delta", "answer"]
    assert events[-1].data["safety"] is True


async def test_says_that_a_person_answers_when_one_has_taken_over(web):
    await ChatSession.objects.aupdate(responder="human")

    events = await Reader(await web.stream("Hello?")).rest()

    assert [event.name for event in events] == ["message", "status"]
    assert events[-1].data == {"responder": "human", "is_active": True}


async def test_replays_the_stream_when_the_key_comes_again(web, engine):
    first = await Reader(await web.stream("Hello?", idempotency_key="k")).rest()
    response = await web.stream("Hello?", idempotency_key="k")

    again = await Reader(response).rest()

    assert response["Idempotency-Replayed"] == "true"
    assert [first[0], first[-1]] == [again[0], again[-1]]
    assert joined(again) == joined(first)


async def test_tells_only_of_its_own_question_when_others_are_asked(web):
    reader = Reader(await web.stream("First"))
    await reader.next()
    await web.leave("Second")
    await sync_to_async(finish)("To the first")

    events = await reader.rest()

    assert events[-1].data["response"] == "To the first"
    assert "message" not in [event.name for event in events]


@pytest.mark.parametrize(
    "text",
    [
        "a\n\ndata: {}\n\nevent: status\ndata: {}\n\n",
        "\r\n\r\nid: 99\r\n",
        "\u2028\u2029\x85\x00\x1b[31m",
        "</script>\\u000a\\n",
        "🧑‍🚀漢字",
    ],
    ids=repr,
)
async def test_tears_no_event_when_a_text_looks_like_one(web, text):
    reader = Reader(await web.stream("Hello?"))
    await reader.next()
    answer = await sync_to_async(claim)()
    await until(lambda: hub.current(poll)._deltas)
    stored = text.replace("\x00", "")  # no database takes it
    await tell(answer, stored)
    outcome = Outcome(AnswerStatus.DONE, stored)
    await sync_to_async(answers.finish)(answer=answer, outcome=outcome)

    events = await reader.rest()

    assert events[-1].data["response"] == joined(events) == stored


# --- The session's events -------------------------------------------------------------------------


async def test_tells_all_that_was_when_it_begins(web):
    question = await sync_to_async(ask)(web.session, "Hello?")
    answer = await sync_to_async(finish)("Hi.")
    said = await sync_to_async(say)(web.session, "A person.")
    reader = await follow(web)

    events = [await reader.next() for _ in range(5)]

    assert [(event.name, event.id) for event in events] == [
        ("message", 2),
        ("restart", None),
        ("delta", None),
        ("answer", 4),
        ("message", 5),
    ]
    assert events[0].data["id"] == question.pk
    assert events[3].data["answer_id"] == answer.pk
    assert (events[4].data["id"], events[4].data["message_type"]) == (said.pk, "staff")
    assert reader.other == [f"retry: {stream.RETRY_MS}"]
    await reader.close()


async def test_tells_what_happens_when_it_happens(web):
    reader = await follow(web)
    await sync_to_async(ask)(web.session, "Hello?")
    first = await reader.next()
    await sync_to_async(finish)("Hi.")
    told = await reader.until("answer")
    await sync_to_async(say)(web.session, "A person.")
    last = await reader.next()

    assert (first.name, told[-1].data["response"]) == ("message", "Hi.")
    assert last.data["text"] == "A person."
    await reader.close()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?after=2", {}),
        ("", {"last_event_id": "2"}),
        ("?after=0", {"last_event_id": "2"}),
    ],
)
async def test_resumes_after_the_last_event_when_it_is_named(web, query, headers):
    await sync_to_async(ask)(web.session, "Hello?")
    await sync_to_async(finish)("Hi.")
    reader = await follow(web, query, **headers)

    events = await reader.until("answer")

    assert "message" not in [event.name for event in events]
    assert joined(events) == "Hi."
    await reader.close()


async def test_waits_when_the_last_event_is_the_newest(web):
    await sync_to_async(ask)(web.session, "Hello?")
    reader = await follow(web, "?after=2")
    await until(lambda: hub.current(poll)._watchers)
    await sync_to_async(say)(web.session, "New.")

    assert (await reader.until("message"))[-1].data["text"] == "New."
    await reader.close()


@pytest.mark.parametrize("value", ["x", "-1", "1e3", "٣", "9" * 20])
async def test_names_the_cursor_when_it_is_no_number(web, value):
    assert fields(await web.get(f"/chat/events?after={value}", **STREAM)) == ["after"]
    header = value if value.isascii() else "%D9%A3"
    assert fields(await web.get("/chat/events", last_event_id=header, **STREAM)) == ["after"]


async def test_names_the_cursor_when_only_one_of_two_is_right(web):
    for query, header in (("-1", "0"), ("0", ""), ("", "0")):
        found = await web.get(f"/chat/events?after={query}", last_event_id=header, **STREAM)
        assert fields(found) == ["after"], (query, header)


async def test_names_the_parameter_when_it_is_unknown(web):
    assert fields(await web.get("/chat/events?since=1", **STREAM)) == ["since"]


async def test_gives_the_text_so_far_when_a_reader_comes_late(web):
    answer = await sync_to_async(answer_of)(web.session)
    running = await sync_to_async(claim)()
    hub.current(poll)
    await tell(running, "Half ")
    await tell(running, "of", offset=5)
    reader = await follow(web, "?after=2")

    events = [await reader.next() for _ in range(3)]

    assert [event.name for event in events] == ["restart", "delta", "delta"]
    assert joined(events) == "Half of"
    await until(lambda: hub.current(poll).connected)
    await tell(running, " it", offset=7)
    events.append(await reader.next())
    done = Outcome(AnswerStatus.DONE, "Half of it.")
    await sync_to_async(answers.finish)(answer=running, outcome=done)
    events += await reader.until("answer")
    assert joined(events) == "Half of it."
    assert events[-1].data["answer_id"] == answer.pk
    await reader.close()


async def test_gives_only_the_last_attempt_when_an_earlier_one_died(web):
    await sync_to_async(answer_of)(web.session)
    running = await sync_to_async(claim)()
    await tell(running, "Dead")
    await tell(running, "Alive", attempt=200)
    reader = await follow(web, "?after=2")

    events = [await reader.next() for _ in range(2)]

    assert joined(events) == "Alive"
    await reader.close()


async def test_joins_to_the_answer_when_readers_drop_and_resume(web, engine, settings):
    settings.LLM_MODEL = "openai/words30-gap0.02"
    await web.leave("Hello?")
    held, after, answer = "", 0, None
    while answer is None:
        reader = await follow(web, f"?after={after}")
        for _ in range(4):
            event = await reader.next()
            after = event.id or after
            if event.name == "restart":
                held = ""
            if event.name == "delta":
                held += event.data["text"]
            if event.name == "answer":
                answer = event.data
                break
        await reader.close()

    assert held == answer["response"] == "".join(f"word{number} " for number in range(30))


async def test_walks_the_whole_backlog_when_it_is_longer_than_a_page(web, monkeypatch):
    monkeypatch.setattr("chat_app.selectors.EVENTS_AT_ONCE", 3)
    for number in range(8):
        await sync_to_async(say)(web.session, f"S{number}")
    reader = await follow(web)

    told = [await reader.next() for _ in range(8)]

    assert [event.data["text"] for event in told] == [f"S{number}" for number in range(8)]
    await reader.close()


async def test_tells_nothing_of_a_row_when_it_was_deleted(web):
    gone = await sync_to_async(say)(web.session, "Gone")
    await sync_to_async(say)(web.session, "Here")
    await sync_to_async(gone.delete)()
    reader = await follow(web)

    assert (await reader.next()).data["text"] == "Here"
    await reader.close()


async def test_hears_nothing_of_other_sessions_when_they_talk(web):
    reader = await follow(web)
    other = await sync_to_async(open_session)("bob@example.com")
    await sync_to_async(ask)(other, "Bob's")
    await sync_to_async(finish)("Bob's answer")
    await sync_to_async(say)(web.session, "Mine")

    assert (await reader.next()).data["text"] == "Mine"
    await reader.close()


async def test_ends_at_once_when_the_session_is_closed(web, monkeypatch):
    monkeypatch.setattr(hub, "_POLL_SECONDS", 3600.0)
    reader = await follow(web)
    await until(lambda: hub.current(poll).connected and hub.current(poll)._watchers)

    assert (await web.delete("/auth/session")).status_code == 204

    events = await reader.rest()
    assert [event.name for event in events] == ["status"]
    assert events[0].data == {"responder": "ai", "is_active": False}
    problem(await web.get("/chat/events", **STREAM), 401, "session_closed")


async def test_ends_when_a_poll_finds_the_session_over(web, monkeypatch):
    monkeypatch.setattr(hub, "_POLL_SECONDS", 0.1)
    reader = await follow(web)
    await until(lambda: hub.current(poll)._watchers)
    await ChatSession.objects.aupdate(is_active=False)  # and nobody announces it

    assert await reader.rest() == []


async def test_ends_when_the_process_is_stopping(web, monkeypatch):
    class Worker:
        alive = True

    monkeypatch.setattr(runtime, "worker", Worker())
    reader = await follow(web)
    await until(lambda: hub.current(poll)._watchers)
    Worker.alive = False

    assert await reader.rest() == []


async def test_ends_when_it_was_open_for_an_hour(web, monkeypatch):
    monkeypatch.setattr(stream, "LONGEST_SECONDS", 0.0)
    monkeypatch.setattr(stream, "PING_SECONDS", 0.01)
    reader = await follow(web)

    assert await reader.rest() == []


async def test_pings_when_nothing_happens(web, monkeypatch):
    monkeypatch.setattr(stream, "PING_SECONDS", 0.01)
    reader = await follow(web)

    await until(lambda: reader.other.count(": ping") >= 3)

    await sync_to_async(sessions.close_session)(session_id=web.session.pk, closed_by="staff")
    await reader.rest()


async def test_refuses_a_stream_when_the_session_has_three(web, redis):
    readers = [await follow(web) for _ in range(3)]
    refused = await web.get("/chat/events", **STREAM)

    problem(refused, 429, "too_many_streams")
    assert refused["Retry-After"] == "5"
    await until(lambda: len(hub.current(poll)._watchers.get(web.session.pk, ())) == 3)
    await sync_to_async(sessions.close_session)(session_id=web.session.pk, closed_by="staff")
    await asyncio.gather(*[reader.rest() for reader in readers])
    assert await open_streams(web, redis) == 0


async def test_frees_the_place_when_a_reader_goes_away(web, redis):
    reader = await follow(web)
    await sync_to_async(say)(web.session, "Hello.")
    await reader.next()
    assert await open_streams(web, redis) == 1
    await reader.close()
    await until(lambda: redis.zcard(f"chatsite:streams:{web.session.pk}") == 0)

    assert hub.current(poll)._watchers == {}
    assert hub.current(poll)._deltas == {}


async def test_finishes_the_answer_when_the_reader_goes_away(web, engine, settings):
    settings.LLM_MODEL = "openai/words9-gap0.02"
    reader = Reader(await web.stream("Hello?"))
    (await reader.until("delta"))[-1]
    await reader.close()

    events = await (await follow(web)).until("answer")

    assert events[-1].data["status"] == "done"


async def test_says_too_many_before_it_streams_an_answer_when_three_are_open(web, settings):
    settings.STREAMS_PER_SESSION = 1
    reader = await follow(web)
    await sync_to_async(say)(web.session, "Hello.")
    await reader.next()

    problem(await web.stream("Hello?"), 429, "too_many_streams")
    await reader.close()


# --- The long poll --------------------------------------------------------------------------------


async def test_gives_the_events_as_json_when_sse_is_not_accepted(web):
    await sync_to_async(ask)(web.session, "Hello?")
    await sync_to_async(finish)("Hi.")

    response = await web.get("/chat/events")

    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert [(event["id"], event["event"]) for event in body["events"]] == [
        (2, "message"),
        (4, "answer"),
    ]
    assert body["events"][1]["data"]["response"] == "Hi."
    assert body["last"] == 4


async def test_waits_for_the_first_event_when_there_is_none(web):
    polling = asyncio.create_task(web.get("/chat/events?after=1"))
    await until(lambda: hub.current(poll)._watchers and hub.current(poll).connected)
    await sync_to_async(say)(web.session, "New.")

    body = (await polling).json()

    assert [event["data"]["text"] for event in body["events"]] == ["New."]


async def test_gives_nothing_when_the_time_is_over(web, settings):
    settings.LONG_POLL_SECONDS = 0.01

    assert (await web.get("/chat/events?after=7")).json() == {"events": [], "last": 7}


async def test_ends_the_poll_when_the_session_is_over(web, monkeypatch):
    monkeypatch.setattr(hub, "_POLL_SECONDS", 0.1)
    polling = asyncio.create_task(web.get("/chat/events?after=1"))
    await until(lambda: hub.current(poll)._watchers)
    await ChatSession.objects.aupdate(is_active=False)

    assert (await polling).json() == {"events": [], "last": 1}


# --- While Redis is away --------------------------------------------------------------------------


@pytest.fixture
def redis_away(settings, monkeypatch):
    """Live events cannot be heard; the database can."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(hub, "_POLL_SECONDS_WITHOUT_REDIS", 0.1)


async def test_streams_from_the_database_when_redis_is_away(redis_away, web):
    answer = await sync_to_async(answer_of)(web.session)
    running = await sync_to_async(claim)()
    reader = await follow(web)
    assert (await reader.next()).name == "message"
    done = Outcome(AnswerStatus.DONE, "From the database.")
    await sync_to_async(answers.finish)(answer=running, outcome=done)

    events = await reader.until("answer")

    assert events[-1].data["answer_id"] == answer.pk
    assert joined(events) == "From the database."
    await reader.close()


async def test_renews_nothing_and_pings_when_redis_is_away(redis_away, web, monkeypatch):
    monkeypatch.setattr(stream, "PING_SECONDS", 0.01)
    reader = await follow(web)
    await until(lambda: ": ping" in reader.other)
    await ChatSession.objects.aupdate(is_active=False)

    assert await reader.rest() == []


async def test_answers_the_wait_when_redis_is_away(redis_away, web):
    asking = asyncio.create_task(web.ask("Hello?"))
    await until(lambda: hub.current(poll)._watchers)
    await sync_to_async(finish)("From the database.")

    assert (await asking).json()["response"] == "From the database."


async def test_encodes_one_event_when_given_one():
    assert (
        stream.encode("delta", {"text": "a\n\nb"}) == 'event: delta\ndata: {"text":"a\\n\\nb"}\n\n'
    )
    block = stream.encode("message", {"text": "é\u2028"}, 7)
    assert block.startswith("id: 7\nevent: message\ndata: ")
    assert json.loads(block.split("data: ")[1])["text"] == "é\u2028"
    assert len(block.splitlines()) == 4
