"""The mirror against Discord's stand-in: what only the wire shows."""

from __future__ import annotations

import itertools
import time

import pytest
import time_machine
from django.db.models.functions import Now

from chat_app import answers, endings, leases, services, staff
from chat_app.answers import Outcome
from chat_app.models import AnswerStatus, ChatMessage
from notifications.models import Delivery, DeliveryStatus, DiscordThread, MirrorState
from sessions_app.audit import Actor
from tests.notifications.conftest import all_sent, markers
from tests.standins import discord_spec
from tests.support import open_session
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

DANA = Actor("discord", "7", "Dana")


def ask(session, text, answer="An answer."):
    posted = services.post_message(session=session, text=text)
    if posted.answer and not posted.answer.is_finished:
        (claimed,) = leases.claim(most=1)
        answers.finish(answer=claimed, outcome=Outcome(AnswerStatus.DONE, answer))
    return posted


def only_thread(server):
    (thread,) = server.threads.values()
    return thread


@pytest.mark.skipif(not discord_spec.is_there(), reason=discord_spec.MISSING)
def test_description_is_there():
    assert discord_spec.shared()


def test_opens_a_thread_with_the_first_message(discord_server, mirror, session):
    assert not Delivery.objects.exists()
    posted = ask(session, "Hello <@1> **you**")
    mirror.wake()
    wait_until(all_sent)
    card = discord_server.messages[discord_server.channel_id][0]
    embed = card["embeds"][0]
    fields = {one["name"]: one["value"] for one in embed["fields"]}
    assert embed["title"] == "🚀 New Chat Session"
    assert embed["color"] == 0x3366FF
    assert fields["Session ID"] == session.pk[:16]
    assert fields["Email"] == "a…@example.com"
    assert "IP Address" not in fields
    thread = only_thread(discord_server)
    assert thread["name"] == f"Session {session.pk[:8]}"
    assert thread["thread_metadata"]["auto_archive_duration"] == 1440
    asked, answered = discord_server.messages[thread["id"]]
    assert asked["embeds"][0]["title"] == "👤 User Message"
    assert asked["embeds"][0]["color"] == 0x00FF00
    assert asked["embeds"][0]["fields"][0]["value"] == posted.question.pk
    assert answered["embeds"][0]["title"] == "🤖 Assistant Response"
    assert answered["embeds"][0]["color"] == 0xFF9900
    assert [b["label"] for b in card["components"][0]["components"]] == [
        "Reply",
        "Take over",
        "Close",
        "Reveal",
    ]
    assert DiscordThread.objects.get().thread_id == thread["id"]


def test_edits_the_card_when_the_state_changes(discord_server, mirror, session):
    ask(session, "Hello")
    staff.take_over(session_id=session.pk, actor=DANA)
    mirror.wake()
    wait_until(all_sent)
    card = discord_server.messages[discord_server.channel_id][0]
    labels = [button["label"] for button in card["components"][0]["components"]]
    assert "Hand back" in labels
    assert "🧑 Dana" in str(card["embeds"])
    staff.close(session_id=session.pk, actor=DANA, text="Bye!")
    mirror.wake()
    wait_until(all_sent)
    thread = only_thread(discord_server)
    assert thread["thread_metadata"]["archived"]
    assert "Closed by Dana" in discord_server.messages[thread["id"]][-1]["embeds"][0]["description"]
    # The visitor comes back: the conversation and its thread are open again.
    session.refresh_from_db()
    ask(session, "One more thing")
    mirror.wake()
    wait_until(all_sent)
    assert not thread["thread_metadata"]["archived"]
    session.refresh_from_db()
    assert session.is_active


def test_posts_once_where_the_connection_broke_after_discord_took_it(
    discord_server, mirror, session
):
    discord_server.remembers_nonces = False
    discord_server.fault(r"POST /channels/\d+/messages$", cut=True, every=2, times=3)
    for number in range(4):
        ask(session, f"Question {number}")
    mirror.wake()
    wait_until(all_sent, within=30)
    assert len(discord_server.messages[discord_server.channel_id]) == 1
    found = markers(discord_server, only_thread(discord_server)["id"])
    assert found == ["#2", "#4", "#5", "#7", "#8", "#10", "#11", "#13"]


def test_makes_a_deleted_thread_anew_with_its_history(discord_server, mirror, session):
    ask(session, "First")
    mirror.wake()
    wait_until(all_sent)
    discord_server.delete_thread(only_thread(discord_server)["id"])
    ask(session, "Second")
    mirror.wake()
    wait_until(all_sent, within=20)
    thread = only_thread(discord_server)
    assert markers(discord_server, thread["id"]) == ["#2", "#4", "#5", "#7"]
    assert len(discord_server.messages[discord_server.channel_id]) == 1


@pytest.mark.parametrize("state", ["archived", "locked"])
def test_brings_back_a_thread_that_was_put_away(discord_server, mirror, session, state):
    ask(session, "First")
    mirror.wake()
    wait_until(all_sent)
    thread = only_thread(discord_server)
    thread["thread_metadata"][state] = True
    ask(session, "Second")
    mirror.wake()
    wait_until(all_sent)
    assert markers(discord_server, thread["id"]) == ["#2", "#4", "#5", "#7"]


def test_waits_as_long_as_a_limit_says(discord_server, mirror, session):
    fault = discord_server.fault(r"POST .*/messages$", status=429, retry_after=0.1, times=3)
    ask(session, "Hello")
    mirror.wake()
    wait_until(all_sent)
    assert fault.times == 0
    posts = [
        when
        for when, method, path, _ in discord_server.requests
        if method == "POST" and path.endswith("/messages")
    ]
    assert all(later - earlier >= 0.09 for earlier, later in itertools.pairwise(posts[:4]))


def test_is_still_where_a_proxy_limits_the_address(discord_server, mirror, session):
    discord_server.fault(r"POST .*/messages$", status=429, retry_after=1, via=False, times=1)
    ask(session, "Hello")
    mirror.wake()
    wait_until(lambda: MirrorState.objects.filter(reason__contains="429").exists())
    wait_until(all_sent)
    assert MirrorState.objects.get().reason == ""


@pytest.mark.parametrize(("status", "code"), [(401, 0), (403, 50013)])
def test_pauses_with_one_alert_when_it_is_refused(
    discord_server, mirror, session, status, code, monkeypatch
):
    from notifications import pause

    alerts = []
    monkeypatch.setattr(pause, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(pause.log, "error", lambda *a, **k: alerts.append(k), raising=False)
    fault = discord_server.fault(r"POST .*/messages$", status=status, code=code)
    ask(session, "Hello")
    mirror.wake()
    wait_until(lambda: fault.seen >= 3, within=20)
    assert pause.current()[0]
    assert len(alerts) == 1
    discord_server.faults.clear()
    wait_until(all_sent)
    assert pause.current() == ("", None)


def test_gives_up_one_event_that_discord_rejects(discord_server, mirror, session):
    ask(session, "First")
    mirror.wake()
    wait_until(all_sent)
    discord_server.fault(r"POST .*/messages$", status=400, code=50035, times=1)
    ask(session, "Second")
    mirror.wake()
    wait_until(all_sent)
    assert Delivery.objects.get(status=DeliveryStatus.FAILED).error.startswith("Rejected")
    assert markers(discord_server, only_thread(discord_server)["id"]) == ["#2", "#4", "#7"]


def test_continues_a_long_text(discord_server, mirror, session):
    text = "*bold* <@1> `x` [a](b)\n" * 170
    ask(session, text)
    mirror.wake()
    wait_until(all_sent)
    found = markers(discord_server, only_thread(discord_server)["id"])
    assert found == ["#2 · 1/2", "#2 · 2/2", "#4"]


def test_corrects_what_staff_said_in_place(discord_server, mirror, session):
    ask(session, "Hello")
    said = staff.post_message(session_id=session.pk, text="Helo", actor=DANA)
    mirror.wake()
    wait_until(all_sent)
    staff.edit_message(session_id=session.pk, message_id=said.pk, text="x" * 5, actor=DANA)
    mirror.wake()
    wait_until(all_sent)
    thread = only_thread(discord_server)["id"]
    embed = discord_server.messages[thread][-1]["embeds"][0]
    assert embed["description"] == "x" * 5
    assert embed["title"] == "🧑‍💼 Staff Reply (edited)"
    staff.delete_message(session_id=session.pk, message_id=said.pk, actor=DANA)
    mirror.wake()
    wait_until(all_sent)
    assert discord_server.messages[thread][-1]["embeds"][0]["title"].endswith("(deleted)")
    assert ChatMessage.objects.get(pk=said.pk).content == "x" * 5


def test_mirrors_only_the_opening_where_messages_are_off(discord_server, mirror, session, settings):
    settings.DISCORD_NOTIFY_MESSAGES = False
    ask(session, "Hello")
    staff.take_over(session_id=session.pk, actor=DANA)
    mirror.wake()
    wait_until(all_sent)
    assert discord_server.messages[only_thread(discord_server)["id"]] == []
    assert len(discord_server.messages[discord_server.channel_id]) == 1


def test_owes_now_when_the_clock_of_the_web_process_is_ahead(discord_server, session):
    with time_machine.travel(time.time() + 120):
        services.post_message(session=session, text="Is it late?")

    assert not Delivery.objects.filter(due_at__gt=Now()).exists()
    assert Delivery.objects.exists()


def test_owes_each_conversation_its_own_opening_when_answers_end_together(settings, session):
    settings.DISCORD_ENABLED = False
    other = open_session("bob@example.com")
    for one in (session, other):
        services.post_message(session=one, text="Before Discord was there")
    settings.DISCORD_ENABLED = True

    claimed = leases.claim(most=2)
    done = Outcome(AnswerStatus.DONE, "An answer.")
    endings.finish([endings.Ending(answer, done) for answer in claimed])

    owed = Delivery.objects.values_list("event__session_id", "event__kind")
    assert sorted(owed) == sorted(
        (one.pk, kind) for one in (session, other) for kind in ("opened", "answer")
    )


def test_owes_nothing_when_it_is_off(session, settings):
    settings.DISCORD_ENABLED = False
    ask(session, "Hello")
    assert not Delivery.objects.exists()
