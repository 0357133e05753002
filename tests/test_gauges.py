"""What the notifications worker measures when it is scraped."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.registry import CollectorRegistry

from chat_app.models import AnswerStatus, ChatMessage
from chatsite import gauges
from chatsite.core import live, surroundings
from notifications import pause
from notifications.models import Delivery
from sessions_app.models import EventKind, SessionEvent
from tests.support import Api, open_session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch):
    monkeypatch.setattr(surroundings, "_last", None)


def scrape() -> dict[str, float]:
    """What a scrape finds, asked on a thread of its own as the server does."""
    registry, found = CollectorRegistry(), {}
    registry.register(gauges.Measured())

    def ask():
        for metric in registry.collect():
            for sample in metric.samples:
                label = next(iter(sample.labels.values()), "")
                found[f"{sample.name}{label and '/'}{label}"] = sample.value

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(30)
    return found


def test_measures_nothing_that_waits_when_nothing_does():
    found = scrape()

    assert found["chatsite_database_up"] == found["chatsite_broker_up"] == 1
    for name in ("answers_waiting", "answers_running", "answers_abandoned", "deliveries_waiting"):
        assert found[f"chatsite_{name}"] == 0
    assert found["chatsite_answer_oldest_seconds"] == found["chatsite_delivery_oldest_seconds"] == 0
    assert found["chatsite_replies_alive"] == found["chatsite_bot_alive"] == 0
    assert found["chatsite_broker_used_bytes"] > 0


def test_measures_what_waits_and_for_how_long(api: Api, redis):
    visitor = api.with_session(open_session())
    for text in ("one", "two", "three"):
        assert visitor.leave(text).status_code == 202
    first, second, _ = ChatMessage.objects.filter(status=AnswerStatus.QUEUED).order_by("seq")
    now = timezone.now()
    ChatMessage.objects.filter(pk=first.pk).update(
        status=AnswerStatus.RUNNING,
        timestamp=now - timedelta(seconds=90),
        lease_until=now - timedelta(seconds=30),
    )
    ChatMessage.objects.filter(pk=second.pk).update(
        status=AnswerStatus.RUNNING, lease_until=now + timedelta(seconds=30)
    )
    assert live.flush(5)

    found = scrape()

    assert found["chatsite_answers_waiting"] == 1
    assert found["chatsite_answers_running"] == 2
    assert found["chatsite_answers_abandoned"] == 1
    assert 89 < found["chatsite_answer_oldest_seconds"] < 150
    assert found["chatsite_bells_waiting/replies"] == redis.llen("chatsite:replies") > 0
    assert found["chatsite_bells_waiting/notifications"] == 0


def test_measures_what_is_owed_to_discord():
    session = open_session()
    event = SessionEvent.objects.create(
        session=session, seq=900, kind=EventKind.STATUS, reference="", created_at=_ago(200)
    )
    Delivery.objects.create(event=event)
    pause.pause(seconds=60, reason="refused")

    found = scrape()

    assert found["chatsite_deliveries_waiting"] == 1
    assert 199 < found["chatsite_delivery_oldest_seconds"] < 300
    assert found["chatsite_mirror_paused"] == 1


def test_tells_the_rest_when_redis_is_away(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    found = scrape()

    assert (found["chatsite_database_up"], found["chatsite_broker_up"]) == (1, 0)
    assert found["chatsite_finding/chatsite.W031"] == 1
    assert "chatsite_broker_used_bytes" not in found


def test_tells_the_rest_when_the_database_is_away(monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr("chat_app.backlog.answers", away)

    found = scrape()

    assert (found["chatsite_database_up"], found["chatsite_broker_up"]) == (0, 1)
    assert "chatsite_answers_waiting" not in found


def _ago(seconds: float):
    return timezone.now() - timedelta(seconds=seconds)
