"""engine.py and replies.py: a worker that claims, makes, keeps alive, stops and gives back."""

import asyncio
import threading
import time

import psycopg
import pytest
from django.db import OperationalError, connections

from chat_app import services
from chat_app.models import ChatMessage
from chatsite.core import live
from tests.support import SECONDS, answer_of, ask, at_once, open_session, ring, run_task, say

pytestmark = pytest.mark.django_db(transaction=True)


def wait(condition):
    """Wait until it is so."""
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return found


def status(answer):
    answer.refresh_from_db()
    return answer.status


def asked(text="Hello?", email="ann@example.com", **options):
    return answer_of(open_session(email), text, **options)


def test_answers_what_waits_when_the_bell_rings(engine):
    answer = asked()

    wait(lambda: status(answer) == "done")

    assert (answer.content, answer.attempt) == ("You said: Hello?", 1)


def test_answers_what_waits_when_nobody_rang(engine, monkeypatch, settings):
    settings.ANSWER_LEASE_SECONDS = 0.4
    monkeypatch.setattr(live._dispatcher, "_ring", lambda _task: None)
    answer = asked()

    wait(lambda: status(answer) == "done")


@pytest.fixture
def _room_for_two(settings):
    """Before the engine starts: its first look for work has begun when a test does."""
    settings.REPLIES_CONCURRENCY = 2


@pytest.mark.usefixtures("_room_for_two")
def test_takes_no_more_than_it_can_hold_when_many_wait(request, settings, provider):
    engine = request.getfixturevalue("engine")
    settings.LLM_MODEL = "openai/hang"
    answers = [asked(email=f"v{number}@example.com") for number in range(4)]
    wait(lambda: len(provider.asked) == 2)
    engine.wake()
    run_task("chat_app.tasks.sweep")
    time.sleep(0.1)

    assert sorted(map(status, answers)) == ["queued", "queued", "running", "running"]
    assert len(engine._running) == 2


@pytest.fixture
def _no_beat(settings):
    """Before the engine starts: what nobody rings for is not found within a test."""
    settings.ANSWER_LEASE_SECONDS = 600


@pytest.mark.usefixtures("_no_beat")
def test_goes_on_with_the_next_of_a_session_when_one_is_done(request, provider):
    request.getfixturevalue("engine")
    session = open_session()
    questions = [ask(session, f"Q{number}") for number in range(4)]

    wait(lambda: session.messages.filter(status="done", message_type="assistant").count() == 4)

    said = [request["body"]["messages"][-1]["content"] for request in provider.asked]
    assert said == [question.content for question in questions]


@pytest.mark.usefixtures("_no_beat")
def test_goes_on_with_the_next_of_a_session_when_one_is_stopped(request, settings, provider):
    engine = request.getfixturevalue("engine")
    settings.LLM_MODEL = "openai/hang"
    session = open_session()
    first, second = answer_of(session, "First?"), answer_of(session, "Second?")
    wait(lambda: len(provider.asked) == 1)
    store = engine._ends._act

    async def slowly(endings):
        await asyncio.sleep(0.2)  # its end is stored after the bell of the task's end
        return await store(endings)

    engine._ends._act = slowly
    services.request_stop(session=session, answer_id=first.pk)

    wait(lambda: status(second) == "running")
    assert status(first) == "stopped"


@pytest.mark.usefixtures("_no_beat")
def test_takes_all_that_waits_when_it_is_more_than_one_claim(request, settings, monkeypatch):
    from chat_app import engine as module

    monkeypatch.setattr(module, "_MOST_AT_ONCE", 2)
    answers = [asked(email=f"v{number}@example.com") for number in range(7)]
    request.getfixturevalue("engine")

    wait(lambda: {status(answer) for answer in answers} == {"done"})


def test_keeps_its_leases_when_every_database_thread_is_busy(engine, settings):
    settings.ANSWER_LEASE_SECONDS = 0.8
    settings.LLM_MODEL = "openai/hang"
    answer = asked()
    wait(lambda: status(answer) == "running")
    done = threading.Event()
    busy = [
        asyncio.run_coroutine_threadsafe(engine.database(done.wait, SECONDS), engine._loop)
        for _ in range(8)
    ]

    before = answer.lease_until
    wait(lambda: status(answer) == "running" and answer.lease_until > before)

    assert not any(future.done() for future in busy)
    done.set()
    assert all(future.result(SECONDS) for future in busy)


def test_keeps_its_leases_when_an_answer_takes_long(engine, settings):
    settings.ANSWER_LEASE_SECONDS = 0.8
    settings.LLM_MODEL = "openai/echo-wait1.5"
    answer = asked()

    wait(lambda: status(answer) == "done")

    assert answer.attempt == 1


def test_writes_nothing_when_its_lease_was_lost(engine, settings):
    settings.ANSWER_LEASE_SECONDS = 0.4
    settings.LLM_MODEL = "openai/hang"
    answer = asked()
    wait(lambda: status(answer) == "running")
    ChatMessage.objects.filter(pk=answer.pk).update(lease_token="another", status="running")

    wait(lambda: answer.pk not in engine._running)

    assert (status(answer), answer.content) == ("running", "")


def test_gives_back_what_is_not_finished_when_it_stops(engine, settings, log_lines):
    settings.LLM_MODEL = "openai/hang"
    answer = asked()
    wait(lambda: status(answer) == "running")

    engine.stop(seconds=0)

    assert (status(answer), answer.attempt, answer.lease_token) == ("queued", 0, "")
    assert not engine._thread.is_alive()
    assert any("answers given back" in line for line in log_lines())


def test_finishes_what_runs_when_it_may_drain(engine, settings):
    settings.LLM_MODEL = "openai/echo-wait0.3"
    answer = asked()
    wait(lambda: status(answer) == "running")
    later = answer_of(open_session("bob@example.com"), "Later")

    engine.stop(seconds=SECONDS)

    assert status(answer) == "done"
    assert status(later) in ("queued", "done")  # claimed before the drain began, or left


def test_tries_again_when_an_answer_fails_by_a_fault_of_ours(engine, settings, monkeypatch):
    settings.ANSWER_LEASE_SECONDS, settings.ANSWER_ATTEMPTS = 0.4, 2
    calls = []

    def fail(**_options):
        calls.append(1)
        raise RuntimeError("My-Secret-Words")

    monkeypatch.setattr("chat_app.prompts.build", fail)
    answer = asked()
    wait(lambda: len(calls) == 2)

    def swept():
        run_task("chat_app.tasks.sweep")
        return status(answer) == "failed"

    wait(swept)
    assert (answer.error, answer.content) == ("attempts_exhausted", settings.LLM_FALLBACK_TEXT)


@pytest.mark.usefixtures("_no_beat")
def test_goes_on_when_the_database_was_away(request, monkeypatch, log_lines):
    from chat_app import leases

    engine = request.getfixturevalue("engine")

    claim, failures = leases.claim, [OperationalError(), RuntimeError()]

    def flaky(**options):
        if failures:
            raise failures.pop(0)
        return claim(**options)

    monkeypatch.setattr(leases, "claim", flaky)
    answer = asked()
    engine.wake()

    wait(lambda: status(answer) == "done" and not failures)
    assert any("replies worker waits" in line for line in log_lines())
    assert any("replies worker failed" in line for line in log_lines())


@pytest.mark.parametrize(
    ("refusal", "attempt"),
    [
        (psycopg.errors.LockNotAvailable(), 1),
        (psycopg.errors.FeatureNotSupported(), 1),
        (psycopg.errors.QueryCanceled(), 2),
        (None, 2),
    ],
    ids=["a lock", "a void plan", "a statement that took too long", "unknown"],
)
def test_counts_no_attempt_when_what_kept_it_from_being_prepared_passes(
    request, settings, monkeypatch, refusal, attempt
):
    from chat_app import preparing

    settings.ANSWER_LEASE_SECONDS = 0.8
    prepare, failures = preparing.prepare, [refusal]

    def flaky(answers):
        if answers and failures:
            raise OperationalError from failures.pop()
        return prepare(answers)

    monkeypatch.setattr(preparing, "prepare", flaky)
    request.getfixturevalue("engine")
    answer = asked()

    wait(lambda: status(answer) == "done")
    assert answer.attempt == attempt


def test_answers_when_the_library_does_not_warm_up(provider, monkeypatch, log_lines):
    from chat_app import engine as module
    from chat_app import llm

    async def fail():
        raise RuntimeError

    monkeypatch.setattr(llm, "warm_up", fail)
    monkeypatch.setattr(live._dispatcher, "_ring", ring)
    monkeypatch.setattr(module, "_engine", None)
    started = module.start()
    try:
        answer = asked()
        wait(lambda: status(answer) == "done")
        wait(lambda: any("was not warmed up" in line for line in log_lines()))
    finally:
        live.flush(SECONDS)
        started.stop(seconds=0)


def test_answers_when_redis_is_away(provider, settings, monkeypatch):
    from chat_app import engine as module

    monkeypatch.setattr(live._dispatcher, "_ring", ring)
    monkeypatch.setattr(module, "_engine", None)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    started = module.start()
    try:
        whole = asked()
        streamed = asked(email="bob@example.com", is_streamed=True)
        wait(lambda: status(whole) == status(streamed) == "done")
        assert streamed.content == "You said: Hello?"
    finally:
        live.flush(SECONDS)
        started.stop(seconds=0)


def test_lives_as_long_as_its_worker_when_celery_says_so(provider, monkeypatch):
    from celery.signals import worker_ready, worker_shutdown

    from chat_app import engine as module
    from chat_app import tasks

    monkeypatch.setattr(module, "_engine", None)
    tasks.end()  # a worker without an engine
    assert module.current() is None
    assert tasks.begin in [receiver() for _, receiver in worker_ready.receivers]
    assert tasks.end in [receiver() for _, receiver in worker_shutdown.receivers]
    answer = asked()

    tasks.begin()
    started = module.current()
    wait(lambda: status(answer) == "done")
    tasks.end()

    assert not started._thread.is_alive()


def test_answers_each_once_when_two_workers_compete(engine, provider):
    from chat_app.engine import Engine

    other = Engine()
    other.start()
    try:
        sessions = [open_session(f"v{number}@example.com") for number in range(12)]
        at_once([lambda session=session: ask(session, session.pk) for session in sessions])
        other.wake()
        wait(
            lambda: (
                ChatMessage.objects.filter(message_type="assistant", status="done").count() == 12
            )
        )
    finally:
        other.stop(seconds=SECONDS)

    assert set(provider.times.values()) == {1}


def test_shows_what_staff_said_as_the_assistants_when_the_model_is_asked(engine, provider):
    session = open_session()
    say(session, "Welcome, says a person.")
    taken_back = say(session, "A slip.")
    ChatMessage.objects.filter(pk=taken_back.pk).update(deleted_at=taken_back.timestamp)
    ask(session, "Who is there?")
    wait(lambda: provider.asked)

    turns = provider.asked[0]["body"]["messages"][1:]

    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("assistant", "Welcome, says a person."),
        ("user", "Who is there?"),
    ]


def test_shows_only_the_last_messages_when_there_are_many(engine, provider, settings):
    settings.LLM_CONTEXT_MESSAGES = 2
    session = open_session()
    for number in range(4):
        say(session, f"S{number}")
    ask(session, "Now?")
    wait(lambda: provider.asked)

    said = [turn["content"] for turn in provider.asked[0]["body"]["messages"][1:]]

    assert said == ["S2", "S3", "Now?"]


def test_leaves_no_connection_when_a_database_thread_is_done(engine):
    seen = []

    def look():
        connections["default"].ensure_connection()
        seen.append(threading.current_thread().name)
        return connections["default"]

    future = asyncio.run_coroutine_threadsafe(engine.database(look), engine._loop)

    assert future.result(SECONDS).connection is None
    assert seen[0].startswith("engine-db")
