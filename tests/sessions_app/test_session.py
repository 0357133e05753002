"""`/auth/session`, and what becomes of a token when its session ends."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app import services
from sessions_app.models import ChatSession, SessionEvent
from tests.support import open_session, problem

pytestmark = pytest.mark.django_db

PROTECTED = [
    ("GET", "/auth/session"),
    ("DELETE", "/auth/session"),
    ("POST", "/chat"),
    ("GET", "/chat/history"),
    ("GET", "/chat/events"),
    ("GET", "/chat/messages/x"),
    ("POST", "/chat/answers/x/stop"),
]


def test_shows_the_session_when_it_is_open(visitor, session):
    body = visitor.get("/auth/session").json()

    assert body == {
        "session_id": session.pk,
        "created_at": session.created_at.isoformat().replace("+00:00", "Z"),
        "expires_at": session.expires_at.isoformat().replace("+00:00", "Z"),
        "verified": False,
        "responder": "ai",
        "is_active": True,
        "messages_remaining": 50,
    }


def test_shows_what_is_left_when_messages_were_sent(api):
    visitor = api.with_session(
        open_session(message_count=48, email_verified_at=timezone.now(), responder="human")
    )

    body = visitor.get("/auth/session").json()

    assert (body["messages_remaining"], body["verified"], body["responder"]) == (2, True, "human")


def test_shows_nothing_left_when_the_limit_was_lowered(api, settings):
    settings.MESSAGE_LIMIT = 3
    visitor = api.with_session(open_session(message_count=5))

    assert visitor.get("/auth/session").json()["messages_remaining"] == 0


def test_ends_the_session_at_once_when_the_visitor_says_so(visitor, session):
    response = visitor.delete("/auth/session")

    assert (response.status_code, response.content) == (204, b"")
    session.refresh_from_db()
    assert (session.is_active, session.closed_by) == (False, "visitor")
    assert session.closed_at is not None
    assert list(SessionEvent.objects.values_list("seq", "kind")) == [(1, "opened"), (2, "status")]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_refuses_every_call_when_the_session_was_closed(visitor, session, method, path):
    services.close_session(session_id=session.pk, closed_by="staff")

    response = visitor.call(method, path)

    problem(response, 401, "session_closed")
    assert response["WWW-Authenticate"] == 'Bearer realm="chatsite"'


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_refuses_every_call_when_the_session_has_expired(visitor, session, method, path):
    ChatSession.objects.update(expires_at=timezone.now())

    problem(visitor.call(method, path), 401, "session_expired")


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_refuses_every_call_when_there_is_no_token(api, method, path):
    response = api.call(method, path)

    problem(response, 401, "invalid_token")
    assert response["WWW-Authenticate"] == 'Bearer realm="chatsite"'


def test_says_expired_when_the_sweep_has_closed_the_session(visitor, session):
    ChatSession.objects.update(expires_at=timezone.now())
    services.expire_sessions()

    problem(visitor.get("/auth/session"), 401, "session_expired")


def test_says_invalid_when_the_session_was_deleted(visitor, session):
    session.delete()

    problem(visitor.get("/auth/session"), 401, "invalid_token")


def test_closes_once_when_asked_twice(session):
    assert services.close_session(session_id=session.pk, closed_by="staff")
    assert not services.close_session(session_id=session.pk, closed_by="visitor")

    session.refresh_from_db()
    assert (session.closed_by, session.last_seq) == ("staff", 2)


def test_expires_only_what_is_over_when_swept(db):
    over = open_session(expires_at=timezone.now() - timedelta(seconds=1))
    live = open_session()

    assert services.expire_sessions() == 1
    assert services.expire_sessions() == 0

    over.refresh_from_db()
    live.refresh_from_db()
    assert (over.is_active, over.closed_by) == (False, "expiry")
    assert live.is_active


def test_expires_sessions_when_the_task_runs(db):
    from tests.support import run_task

    over = open_session(expires_at=timezone.now() - timedelta(seconds=1))

    run_task("sessions_app.tasks.expire")

    over.refresh_from_db()
    assert over.closed_by == "expiry"


def test_names_itself_shortly_when_shown(session):
    assert str(session) == session.pk[:8]
    assert str(session.contact) == session.pk
    assert str(session.events.get()) == f"{session.pk} 1 opened"
