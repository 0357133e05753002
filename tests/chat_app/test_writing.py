"""That somebody writes is told to who watches, seldom, and stored nowhere."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chat_app import writing
from sessions_app.models import SessionEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


@pytest.fixture(autouse=True)
def _nobody_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    writing._told.clear()


async def _named(chunks: Any, name: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            text = (await anext(chunks)).decode()
            if f"event: {name}\n" in text:
                assert "id:" not in text, "what is not stored cannot be resumed after"
                found: dict[str, Any] = json.loads(text.partition("data: ")[2])
                return found


async def test_a_person_who_writes_is_in_the_open_stream(web: Any) -> None:
    response = await web.get("/chat/events", accept="text/event-stream")
    chunks = aiter(response.streaming_content)
    await anext(chunks)  # it watches from here on
    writing.tell(session_id="another", who=writing.STAFF)
    writing.tell(session_id=web.session.pk, who=writing.STAFF)
    assert await _named(chunks, "typing") == {"who": "staff"}
    assert not await SessionEvent.objects.exclude(kind="opened").aexists()
    await chunks.aclose()


async def test_the_assistant_that_is_asked_is_said_to_write(web: Any, engine: Any) -> None:
    response = await web.get("/chat/events", accept="text/event-stream")
    chunks = aiter(response.streaming_content)
    await anext(chunks)
    await web.post("/chat", {"message": "hello"}, prefer="respond-async")
    assert await _named(chunks, "typing") == {"who": "assistant"}
    await chunks.aclose()


async def test_it_is_told_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    now = [100.0]
    monkeypatch.setattr(writing.live, "tell_typing", told.append)
    monkeypatch.setattr(writing.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(writing, "_MOST_REMEMBERED", 2)
    for _ in range(5):
        writing.tell(session_id="a", who=writing.STAFF)
    assert len(told) == 1
    writing.tell(session_id="a", who=writing.ASSISTANT)
    now[0] += 5
    writing.tell(session_id="a", who=writing.STAFF)
    writing.tell(session_id="b", who=writing.STAFF)
    assert [(one.session, one.who) for one in told] == [
        ("a", "staff"),
        ("a", "assistant"),
        ("a", "staff"),
        ("b", "staff"),
    ]
    assert len(writing._told) == 2


async def test_staff_who_type_in_the_admin_are_shown_to_write(
    monkeypatch: pytest.MonkeyPatch, admin_client: Any
) -> None:
    from asgiref.sync import sync_to_async

    from tests.support import open_session

    told: list[Any] = []
    monkeypatch.setattr(writing.live, "tell_typing", told.append)
    session = await sync_to_async(open_session)()
    address = f"/admin/sessions_app/chatsession/{session.pk}/typing/"
    response = await sync_to_async(admin_client.post)(address)
    assert response.status_code == 204
    assert [(one.session, one.who) for one in told] == [(session.pk, "staff")]
    assert (await sync_to_async(admin_client.get)(address)).status_code == 405
