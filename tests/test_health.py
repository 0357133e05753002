"""`/health`: what was measured, for people, balancers and orchestrators."""

import asyncio
from datetime import datetime

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from chat_app import pulse
from chatsite import __version__
from chatsite.core import hub
from sessions_app.selectors import poll

pytestmark = pytest.mark.asyncio


@pytest.fixture
def failing(monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr("chat_app.budgets.state", fail)


@pytest.fixture
def redis_away(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


async def beat():
    await pulse.beat(hub.current(poll).redis)


async def test_is_alive_when_the_process_answers(redis_away, failing, web):
    response = await web.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_is_healthy_when_all_parts_are_there(web):
    hub.current(poll)
    await beat()

    response = await web.get("/health")

    assert response.status_code == 200
    body = response.json()
    assert datetime.fromisoformat(body.pop("timestamp")).tzinfo is not None
    assert body == {
        "status": "healthy",
        "database": "connected",
        "ai_service": "available",
        "broker": "connected",
        "workers": {"replies": "alive"},
        "provider": {},
        "budget": "ok",
        "discord": {"status": "off"},
        "version": __version__,
    }
    ready = await web.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "database": True,
        "schema": True,
        "broker": True,
        "replies": True,
    }


async def test_is_degraded_when_no_worker_is_there(web):
    body = (await web.get("/health")).json()

    assert (body["status"], body["ai_service"]) == ("degraded", "unavailable")
    assert body["workers"] == {"replies": "missing"}
    ready = await web.get("/health/ready")
    assert (ready.status_code, ready.json()["replies"]) == (503, False)


async def test_says_what_the_provider_said_last_when_it_failed(web):
    client = hub.current(poll).redis
    await beat()
    await pulse.provider_said(client, model="openai/echo", error="RateLimitError")

    body = (await web.get("/health")).json()

    assert (body["status"], body["ai_service"]) == ("degraded", "unavailable")
    assert body["provider"]["error"] == "RateLimitError"
    await pulse.provider_said(client, model="openai/echo", error="")
    assert (await web.get("/health")).json()["status"] == "healthy"


async def test_is_degraded_when_redis_is_away(redis_away, web):
    response = await web.get("/health")

    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["broker"]) == ("degraded", "unavailable")
    assert (await web.get("/health/ready")).status_code == 503


async def test_is_unhealthy_when_the_database_is_away(failing, web):
    response = await web.get("/health")

    assert response.status_code == 503
    body = response.json()
    assert (body["status"], body["database"], body["budget"]) == (
        *("unhealthy", "unavailable"),
        "unknown",
    )
    assert (await web.get("/health/ready")).json()["database"] is False


async def test_is_unhealthy_when_the_database_does_not_answer_in_time(web, monkeypatch):
    monkeypatch.setattr("chatsite.health._SECONDS", 0.0)
    monkeypatch.setattr("chat_app.budgets.state", lambda: None)

    assert (await web.get("/health")).status_code == 503


async def test_is_degraded_when_the_budget_of_the_day_is_spent(web):
    from django.utils import timezone

    from chat_app.models import Spending

    hub.current(poll)
    await beat()
    await Spending.objects.acreate(day=timezone.now().date(), tokens=50_000_000)

    body = (await web.get("/health")).json()

    assert (body["status"], body["ai_service"], body["budget"]) == (
        *("degraded", "unavailable"),
        "spent",
    )


async def test_says_unknown_of_discord_when_the_database_is_away(web, monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr("notifications.pulse.mirror", fail)

    assert (await web.get("/health")).json()["discord"] == {"status": "unknown"}


async def test_is_alive_when_a_worker_runs(web, engine):
    async with asyncio.timeout(15):
        while (await web.get("/health")).json()["workers"]["replies"] != "alive":
            await asyncio.sleep(0.02)
    await web.ask("Hello?")

    provider = (await web.get("/health")).json()["provider"]

    assert (provider["ok"], provider["model"], provider["error"]) == (True, "openai/echo", "")
    assert await sync_to_async(engine._thread.is_alive)()
