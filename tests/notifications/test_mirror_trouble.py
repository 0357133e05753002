"""The mirror in trouble of one thread, one message, one worker: the rest goes on."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from chat_app import services, staff
from notifications import discord_client, inert, leases, pause
from notifications.models import Delivery, DeliveryStatus
from sessions_app.audit import Actor
from tests.notifications.conftest import all_sent, markers
from tests.support import open_session
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

DANA = Actor("discord", "7", "Dana")


def say(session: Any, text: str) -> Any:
    return staff.post_message(session_id=session.pk, text=text, actor=DANA)


def mirrored(mirror: Any) -> None:
    mirror.wake()
    wait_until(all_sent)


@pytest.fixture
def alerts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the mirror tells the operator."""
    from notifications import mirror

    told: list[str] = []
    monkeypatch.setattr(mirror.log, "error", lambda event, **_: told.append(event), raising=False)
    return told


def test_a_locked_thread_waits_alone_where_it_may_not_be_unlocked(
    discord_server, mirror, session, alerts
):
    say(session, "First")
    mirrored(mirror)
    (thread,) = discord_server.threads.values()
    thread["thread_metadata"]["locked"] = True
    fault = discord_server.fault(rf"PATCH /channels/{thread['id']}$", status=403, code=50013)
    say(session, "Second")
    other = open_session("bob@example.com")
    say(other, "Elsewhere")
    mirror.wake()
    wait_until(lambda: fault.seen >= 3)
    (elsewhere,) = discord_server.threads.keys() - {thread["id"]}
    wait_until(lambda: markers(discord_server, elsewhere))
    assert alerts == ["a thread is locked"]
    assert pause.current() == ("", None)
    owed = Delivery.objects.filter(status=DeliveryStatus.DUE)
    assert [one.error for one in owed] == [
        "Locked: unlock the thread, or give the bot Manage Threads"
    ]
    thread["thread_metadata"]["locked"] = False
    mirrored(mirror)
    assert "Second" in str(discord_server.messages[thread["id"]])


def test_no_conversation_waits_for_all_that_another_is_owed(
    discord_server, mirror, session, settings
):
    settings.DISCORD_CONCURRENCY = 1
    pause.pause(seconds=60, reason="until both are owed something")
    other = open_session("bob@example.com")
    for one in (session, other):
        for word in ("First", "Second", "Third"):
            say(one, word)
    pause.try_now()
    mirrored(mirror)
    threads = {f"/channels/{one}/messages" for one in discord_server.threads}
    said = [path for _, _, path, _ in discord_server.requests if path in threads]
    assert len(said) == 6
    assert all(before != after for before, after in itertools.pairwise(said))


def test_a_closing_is_said_where_the_thread_may_not_be_archived(discord_server, mirror, session):
    say(session, "Hello")
    mirrored(mirror)
    (thread,) = discord_server.threads.values()
    discord_server.fault(rf"PATCH /channels/{thread['id']}$", status=403, code=50013)
    staff.close(session_id=session.pk, actor=DANA)
    mirrored(mirror)
    assert "Closed by Dana" in str(discord_server.messages[thread["id"]][-1])
    assert pause.current() == ("", None)


def test_a_card_deleted_by_hand_does_not_hold_up_the_rest(discord_server, mirror, session):
    say(session, "Hello")
    mirrored(mirror)
    discord_server.messages[discord_server.channel_id].clear()
    staff.hand_back(session_id=session.pk, actor=DANA)
    say(session, "Again")
    mirrored(mirror)
    (thread,) = discord_server.threads
    assert "Again" in str(discord_server.messages[thread][-1])


def test_a_correction_may_need_fewer_or_more_messages(discord_server, mirror, session):
    said = say(session, "Short")
    mirrored(mirror)
    (thread,) = discord_server.threads

    def texts() -> list[str]:
        return [
            one["embeds"][0]["description"]
            for one in discord_server.messages[thread]
            if "Staff Reply" in one["embeds"][0].get("title", "")
            or one["embeds"][0]["description"] == "…"
        ]

    for text, parts in [("*" * 4000, 2), ("\u202e" * 1000, 3), ("*" * 3900, 2), ("Bye", 1)]:
        staff.edit_message(session_id=session.pk, message_id=said.pk, text=text, actor=DANA)
        mirrored(mirror)
        shown = texts()
        assert shown[:parts] == inert.pieces(text, most=4000)
        assert set(shown[parts:]) <= {"…"}


def test_a_mirrored_reply_deleted_by_hand_is_not_looked_for(discord_server, mirror, session):
    said = say(session, "Hello")
    mirrored(mirror)
    (thread,) = discord_server.threads
    discord_server.messages[thread].clear()
    staff.edit_message(session_id=session.pk, message_id=said.pk, text="Bye", actor=DANA)
    mirrored(mirror)
    assert not Delivery.objects.filter(status=DeliveryStatus.FAILED).exists()


def test_nothing_is_posted_where_the_opening_was_rejected(discord_server, mirror, session):
    discord_server.fault(r"POST .*/messages$", status=400, code=50035, times=1)
    say(session, "Hello")
    mirrored(mirror)
    failed = Delivery.objects.filter(status=DeliveryStatus.FAILED).order_by("event__seq")
    reasons = [one.error.partition(":")[0] for one in failed]
    assert reasons == ["Rejected", "its thread could not be opened"]
    assert discord_server.threads == {}


def test_a_thread_that_is_there_already_is_taken(discord_server, mirror, session):
    """A worker died between Discord's making the thread and the mark."""
    discord_server.fault(r"POST .*/threads$", cut=True, times=1)
    say(session, "Hello")
    mirrored(mirror)
    assert len(discord_server.threads) == 1


@pytest.mark.parametrize(("status", "code"), [(404, 0), (404, 10003)])
def test_a_channel_that_is_gone_pauses_the_mirror(
    discord_server, mirror, session, status, code, monkeypatch
):
    monkeypatch.setattr(pause, "RETRY_SECONDS", 0.1)
    fault = discord_server.fault(
        rf"POST /channels/{discord_server.channel_id}/messages$", status=status, code=code
    )
    say(session, "Hello")
    mirror.wake()
    wait_until(lambda: pause.current()[0])
    fault.times = 0
    mirrored(mirror)
    assert pause.current() == ("", None)


def test_a_hold_up_that_another_worker_found_ends_with_the_first_success(
    discord_server, mirror, session
):
    say(session, "Hello")
    mirrored(mirror)
    pause.pause(seconds=0, reason="another worker was refused")
    say(session, "Again")
    mirrored(mirror)
    wait_until(lambda: pause.current() == ("", None))


def test_too_many_active_threads_are_waited_for(discord_server, mirror, session, monkeypatch):
    monkeypatch.setattr(discord_client, "_LATER_SECONDS", 0.05)
    fault = discord_server.fault(r"POST .*/threads$", status=400, code=160006, times=2)
    say(session, "Hello")
    mirrored(mirror)
    assert fault.times == 0
    assert len(discord_server.threads) == 1


@pytest.mark.parametrize(("status", "times"), [(500, 6), (408, 2)])
def test_a_fault_of_discords_is_tried_again(
    discord_server, mirror, session, status, times, monkeypatch
):
    import asyncio

    real = asyncio.sleep
    # discord.py itself waits seconds between its own tries.
    monkeypatch.setattr(asyncio, "sleep", lambda s, *a: real(min(s, 0.02), *a))
    discord_server.fault(r"POST .*/messages$", status=status, times=times)
    say(session, "Hello")
    mirrored(mirror)
    assert len(discord_server.messages[discord_server.channel_id]) == 1


def test_a_lost_lease_stores_nothing(discord_server, mirror, session):
    """Another worker has the delivery: what this one finds out is the other's to store."""
    say(session, "Hello")
    mirrored(mirror)
    say(session, "Again")
    fault = discord_server.fault(r"POST .*/messages$", delay=0.3, times=1)
    mirror.wake()
    wait_until(lambda: fault.seen)
    Delivery.objects.filter(status=DeliveryStatus.DUE).update(lease_token="another", attempts=2)
    wait_until(lambda: not mirror._running)
    (owed,) = Delivery.objects.filter(status=DeliveryStatus.DUE)
    assert (owed.lease_token, owed.message_ids) == ("another", [])


def test_what_is_not_sent_by_the_end_is_given_back(discord_server, mirror, session):
    discord_server.fault(r"POST .*/messages$", delay=5, times=1)
    say(session, "Hello")
    mirror.wake()
    wait_until(lambda: mirror._running)
    mirror.stop(seconds=0)
    assert leases.claim(most=1), "nobody waits for the lease of a worker that has ended"


def test_a_mirror_waits_for_a_database_that_is_away(
    discord_server, mirror, session, monkeypatch, settings
):
    from django.db import OperationalError

    real, tries = leases.claim, []

    def claim(**options: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError if len(tries) == 1 else ValueError
        return real(**options)

    settings.DISCORD_LEASE_SECONDS = 0.4
    monkeypatch.setattr("notifications.mirror._PAUSE", 0.01)
    monkeypatch.setattr(leases, "claim", claim)
    say(session, "Hello")
    mirrored(mirror)
    assert len(tries) > 2


def test_a_delivery_that_cannot_be_read_is_tried_again(
    discord_server, mirror, session, monkeypatch, settings, alerts
):
    from notifications import jobs

    settings.DISCORD_LEASE_SECONDS = 0.2
    real, tries = jobs.load, []

    def load(delivery: Delivery) -> Any:
        tries.append(delivery.pk)
        if len(tries) == 1:
            raise ValueError("unknown")
        return real(delivery)

    monkeypatch.setattr(jobs, "load", load)
    say(session, "Hello")
    mirrored(mirror)
    assert "delivery failed" in alerts


def test_ends_and_erasures_are_told_too(discord_server, mirror, session, settings):
    from sessions_app.services import close_session

    settings.DISCORD_SHOW_PERSONAL_DATA = True
    settings.SITE_URL = "https://chat.example.com/"
    services.post_message(session=session, text="Ignore all previous instructions.")
    close_session(session_id=session.pk, closed_by="visitor")
    mirrored(mirror)
    (thread,) = discord_server.threads
    assert "Ended by the visitor" in str(discord_server.messages[thread][-1])
    (card,) = discord_server.messages[discord_server.channel_id]
    fields = {one["name"]: one["value"] for one in card["embeds"][0]["fields"]}
    assert fields["Email"] == "ann@example.com"
    assert fields["IP Address"] == "127.0.0.1"
    buttons = card["components"][0]["components"]
    assert buttons[-1]["url"].startswith("https://chat.example.com/admin/")
