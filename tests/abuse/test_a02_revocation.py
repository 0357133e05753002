"""A2: a session that is over is refused at its next request, and its streams close."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chatsite.core import hub
from sessions_app import blocks, erasure, services
from sessions_app.audit import Actor
from sessions_app.models import ChatSession
from tests.support import Reader, problem

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

STAFF = Actor("admin", "1", "Sam")


def close(session):
    services.close_session(session_id=session.pk, closed_by="visitor")


def expire(session):
    ChatSession.objects.filter(pk=session.pk).update(expires_at=timezone.now())


def fall_silent(session):
    ChatSession.objects.filter(pk=session.pk).update(
        last_activity=timezone.now() - timedelta(hours=9)
    )


def delete(session):
    erasure.erase(session_id=session.pk, actor=STAFF)


def block(session):
    blocks.block(session_id=session.pk, duration=timedelta(hours=1), reason="spam", actor=STAFF)


@pytest.mark.parametrize(
    ("revoke", "code"),
    [
        (close, "session_closed"),
        (expire, "session_expired"),
        (fall_silent, "session_expired"),
        (delete, "invalid_token"),
        (block, "session_closed"),
    ],
)
async def test_a02_refuses_the_next_request_and_closes_the_streams(web, monkeypatch, revoke, code):
    assert hub._POLL_SECONDS + hub._TICK < 5, "within five seconds, whoever forgets to tell"
    monkeypatch.setattr(hub, "_POLL_SECONDS", 0.2)
    reader = Reader(await web.get("/chat/events", accept="text/event-stream"))

    await sync_to_async(revoke)(web.session)

    problem(await web.get("/chat/history"), 401, code)
    problem(await web.get("/chat/events", accept="text/event-stream"), 401, code)
    assert {event.name for event in await reader.rest()} <= {"status"}
