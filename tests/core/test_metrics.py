"""What is counted: by route and status over HTTP, bounded, and without anybody's data."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db.models.functions import Now
from prometheus_client import REGISTRY, generate_latest

from chat_app import leases
from chat_app.models import ChatMessage
from chatsite.core import metrics
from notifications import leases as mirror_leases
from notifications.models import Delivery
from sessions_app.models import SessionEvent
from tests.support import Reader, ask, open_session


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.django_db
def test_counts_requests_by_route_and_status_when_they_are_answered(visitor, api):
    before = value("chatsite_http_requests_total", route="chat-message", status="404")
    timed = value("chatsite_http_request_seconds_count", route="chat-message")

    visitor.get("/chat/messages/nobody-knows-this-id")

    assert value("chatsite_http_requests_total", route="chat-message", status="404") == before + 1
    assert value("chatsite_http_request_seconds_count", route="chat-message") == timed + 1


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/nothing/here", "other"),
        ("/static/nothing.css", "static"),
        ("/admin/login/", "admin"),
        ("/health/live", "health-live"),
        ("/auth/session", "auth-session"),
    ],
)
@pytest.mark.django_db
def test_names_a_route_and_never_its_path(api, path, route):
    before = _of_route(route)

    api.get(path)

    assert _of_route(route) == before + 1
    assert path not in generate_latest(REGISTRY).decode()


def _of_route(route: str) -> float:
    return value("chatsite_http_request_seconds_count", route=route)


@pytest.mark.django_db
def test_tells_the_forms_of_asking_apart(visitor):
    before = value("chatsite_http_requests_total", route="chat-async", status="202")

    assert visitor.leave("Hello").status_code == 202

    assert value("chatsite_http_requests_total", route="chat-async", status="202") == before + 1


@pytest.mark.django_db
def test_counts_what_limits_refuse_by_group_and_code(visitor, settings):
    settings.CHAT_RATE_LIMIT = "1/minute"
    refused = value("chatsite_limits_refused_total", group="chat")
    problems = value("chatsite_problems_total", code="rate_limited")
    visitor.leave("First")

    assert visitor.leave("Second").status_code == 429

    assert value("chatsite_limits_refused_total", group="chat") == refused + 1
    assert value("chatsite_problems_total", code="rate_limited") == problems + 1


@pytest.mark.asyncio
async def test_counts_streams_that_are_open_until_they_are_closed(web):
    before = value("chatsite_open_streams")
    reader = Reader(await web.get("/chat/events", accept="text/event-stream"))
    await web.leave("Hello")
    await reader.until("message")

    assert value("chatsite_open_streams") == before + 1

    await reader.close()
    async with asyncio.timeout(10):
        while value("chatsite_open_streams") != before:
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_counts_answers_calls_tokens_and_time_when_a_model_answers(web, engine):
    model = "openai/echo"
    answers = value("chatsite_answers_total", outcome="done", cause="")
    calls = value("chatsite_provider_calls_total", model=model, result="ok")
    asked = value("chatsite_tokens_total", model=model, kind="prompt")
    timed = value("chatsite_answer_seconds_count")

    assert (await web.ask("How many?")).json()["status"] == "done"

    assert value("chatsite_answers_total", outcome="done", cause="") == answers + 1
    assert value("chatsite_provider_calls_total", model=model, result="ok") == calls + 1
    assert value("chatsite_tokens_total", model=model, kind="prompt") > asked
    async with asyncio.timeout(10):
        while value("chatsite_answer_seconds_count") != timed + 1:
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_counts_the_cause_when_no_model_answers(web, engine, settings):
    settings.LLM_MODEL = "openai/error401"
    labels = {"model": "openai/error401", "result": "AuthenticationError"}
    calls = value("chatsite_provider_calls_total", **labels)
    failed = value("chatsite_answers_total", outcome="failed", cause="AuthenticationError")

    assert (await web.ask("Hello?")).json()["degraded"] is True

    assert value("chatsite_provider_calls_total", **labels) > calls
    now = value("chatsite_answers_total", outcome="failed", cause="AuthenticationError")
    assert now == failed + 1


@pytest.mark.asyncio
async def test_shows_nothing_that_a_visitor_said_or_is(web, engine):
    await web.ask("My secret word is xyzzy")
    session = await sync_to_async(lambda: web.session.pk)()

    shown = generate_latest(REGISTRY).decode()

    for part in ("xyzzy", session, "127.0.0.1", "@"):
        assert part not in shown


def test_tells_so_many_values_apart_and_no_more():
    bounded = metrics.Bounded(2)

    assert [bounded(one) for one in ("a", "b", "c", "a", "d")] == ["a", "b", "other", "a", "other"]


@pytest.mark.django_db(transaction=True)
def test_counts_what_is_taken_over_from_a_worker_that_fell_silent():
    answers = value("chatsite_leases_lost_total", kind="answer")
    deliveries = value("chatsite_leases_lost_total", kind="delivery")
    session = open_session()
    ask(session)
    event = SessionEvent.objects.create(session=session, seq=900, kind="status")
    Delivery.objects.create(event=event)
    Delivery.objects.filter(event__session=session).exclude(event=event).delete()

    for model, claim in ((ChatMessage, leases.claim), (Delivery, mirror_leases.claim)):
        assert len(claim(most=9)) == 1
        assert claim(most=9) == []
        model.objects.update(lease_until=Now() - timedelta(seconds=1))
        assert len(claim(most=9)) == 1

    assert value("chatsite_leases_lost_total", kind="answer") == answers + 1
    assert value("chatsite_leases_lost_total", kind="delivery") == deliveries + 1
