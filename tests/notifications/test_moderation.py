"""What a moderator is told of an act: done, done before, refused; once for each key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from chatsite.core.errors import InvalidInput
from notifications import moderation, threads
from notifications.models import Delivery, DiscordThread, MirrorState, Receipt
from sessions_app.audit import Actor
from sessions_app.models import SessionEvent
from tests.support import answer_of, say

pytestmark = pytest.mark.django_db

DANA = Actor("discord", "7", "Dana")


@pytest.mark.parametrize(
    ("name", "first", "again"),
    [
        ("take_over", "yours", "A person has this conversation already."),
        ("hand_back", "has this conversation already", "The AI has this conversation already."),
        ("reopen", "open already", "This conversation is open already."),
        ("close", "Closed", "This conversation is closed already."),
        ("unblock", "Nothing blocks this visitor", "Nothing blocks this visitor."),
    ],
)
def test_an_act_is_done_once(session: Any, name: str, first: str, again: str) -> None:
    act = getattr(moderation, name)
    assert first in act(session_id=session.pk, actor=DANA)
    assert act(session_id=session.pk, actor=DANA) == again


def test_a_key_takes_effect_once(session: Any) -> None:
    done: list[int] = []

    def act() -> str:
        done.append(1)
        return "done"

    assert moderation.once(key="i:1", session_id=session.pk, act=act) == "done"
    assert moderation.once(key="i:1", session_id=session.pk, act=act) is None
    assert len(done) == 1


def test_an_act_that_fails_leaves_no_receipt(session: Any) -> None:
    def act() -> str:
        raise IntegrityError

    with pytest.raises(IntegrityError):
        moderation.once(key="i:1", session_id=session.pk, act=act)
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("text", ["", "0d", "12", "d", "12345d", "1y"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        moderation.parse_duration(text)
    assert moderation.parse_duration(" 2 W ") == timedelta(weeks=2)


def test_what_was_said_by_a_deleted_message_is_not_corrected(session: Any) -> None:
    Receipt.objects.create(id="m:5", session=session, thread_id="9", message_id="gone")
    assert threads.recent_sources(thread_id="9") == {}
    assert moderation.source_of(message_id=6) is None


def test_an_embed_of_the_assistant_is_nothing_to_take_back(session: Any) -> None:
    answer = answer_of(session)
    DiscordThread.objects.create(session=session, thread_id="9")
    event = SessionEvent.objects.create(
        session=session, seq=50, kind="message", reference=answer.pk
    )
    Delivery.objects.create(event=event, message_ids=["77"], status="sent")
    assert moderation.mirrored(channel_id=9, discord_id=77) is None
    said = say(session)
    SessionEvent.objects.filter(pk=event.pk).update(reference=said.pk)
    assert moderation.mirrored(channel_id=9, discord_id=77) == (session.pk, said.pk)
    assert moderation.mirrored(channel_id=8, discord_id=77) is None


def test_a_conversation_without_a_thread_has_nobody_writing(session: Any) -> None:
    moderation.writing_in(channel_id=1)
    threads.saw(thread_id="1", message_id=1)
    assert moderation.find_session(channel_id=1) is None


def test_rows_are_named_in_the_admin(session: Any, admin_client: Any) -> None:
    event = SessionEvent.objects.get(session=session)
    rows = [
        DiscordThread.objects.create(session=session, thread_id="42"),
        Delivery.objects.create(event=event),
        Receipt.objects.create(id="m:5", session=session),
        MirrorState.objects.create(reason="403"),
    ]
    assert [str(row) for row in rows] == ["42", f"{event.pk} due", "m:5", "403"]
    for page in ("delivery", "discordthread"):
        assert admin_client.get(f"/admin/notifications/{page}/").status_code == 200
