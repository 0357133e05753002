"""Through limits, resets, a deleted thread and an outage, Discord holds every event once, in order.

CHATSITE_OUTAGE_SECONDS lengthens the outage; the acceptance run took 60."""

from __future__ import annotations

import os
import random
import time

import pytest

from chat_app import answers, leases, services, staff
from chat_app.answers import Outcome
from chat_app.models import AnswerStatus
from notifications import inert
from sessions_app.audit import Actor
from sessions_app.models import SessionEvent
from tests.notifications.conftest import all_sent, corpus, markers
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

_OUTAGE = float(os.environ.get("CHATSITE_OUTAGE_SECONDS", "0.5"))
_SEED = 20261123


def _texts(how_many: int) -> list[str]:
    chance = random.Random(_SEED)
    known = [row["text"][:4000] for row in corpus("attacks") if row["text"].strip()]
    known = [text for text in known if "\0" not in text] or ["<@&1> **x** `y` 🚀"]
    texts = chance.sample(known, min(len(known), how_many // 2))
    while len(texts) < how_many:
        words = "word 🚀 *bold* <#1> https://evil.example/ ```\n"
        texts.append((words * 200)[: chance.randint(1, 4000)])
    return texts


def _say(session, number, text):
    if number % 4 == 3:
        staff.post_message(session_id=session.pk, text=text, actor=Actor("admin", "1", "Dana"))
        staff.hand_back(session_id=session.pk, actor=Actor("admin", "1", "Dana"))
        return
    services.post_message(session=session, text=text)
    for answer in leases.claim(most=1):
        answers.finish(answer=answer, outcome=Outcome(AnswerStatus.DONE, text[::-1][:4000]))


def _sent_in_order(server):
    (thread,) = server.threads
    return markers(server, thread), "".join(
        one["embeds"][0].get("description", "") for one in server.messages[thread]
    )


@pytest.mark.no_cover  # many rounds of the same lines: tracing makes them slow
@pytest.mark.parametrize(("remembers_nonces", "messages"), [(True, 16), (False, 40)])
def test_every_event_arrives_once_and_in_order(
    discord_server, mirror, session, settings, remembers_nonces, messages
):
    settings.SCREENING_ACTION = "label"
    discord_server.remembers_nonces = remembers_nonces
    discord_server.fault(r"POST /channels/\d+/messages$", status=429, retry_after=0.02, every=5)
    texts = _texts(messages)
    cuts, deletion, outage = {messages // 7, messages // 2}, messages // 3, 2 * messages // 3
    for number, text in enumerate(texts):
        if number in cuts:
            discord_server.fault(r"POST /channels/\d+/messages$", cut=True, times=1)
        if number == deletion:
            wait_until(all_sent, within=60)
            discord_server.delete_thread(next(iter(discord_server.threads)))
        if number == outage:
            discord_server.is_down = True
        _say(session, number, text)
        mirror.wake()
    time.sleep(_OUTAGE)
    discord_server.is_down = False
    wait_until(all_sent, within=120)
    found, said = _sent_in_order(discord_server)
    events = SessionEvent.objects.filter(session=session).exclude(kind="opened").order_by("seq")
    numbers = [int(one.partition(" ")[0].removeprefix("#")) for one in found]
    assert numbers == sorted(numbers)
    assert len(found) == len(set(found)), "an event is there twice"
    assert sorted(set(numbers)) == [event.seq for event in events]
    for text in texts:
        assert all(piece in said for piece in inert.pieces(text, most=4000))
    assert len(discord_server.messages[discord_server.channel_id]) == 1


def test_a_worker_that_dies_after_the_post_leaves_no_double(discord_server, mirror, session):
    from notifications.models import Delivery

    discord_server.remembers_nonces = False
    _say(session, 0, "Hello")
    mirror.wake()
    wait_until(all_sent)
    # As if it had been killed between Discord's answer and the mark: owed again, attempt counted.
    Delivery.objects.update(status="due", attempts=1, message_ids=[], discord_message_id="")
    mirror.wake()
    wait_until(all_sent)
    assert len(_sent_in_order(discord_server)[0]) == 2
    assert len(discord_server.messages[discord_server.channel_id]) == 1


def test_two_mirrors_share_the_work(discord_server, mirror, session):
    from notifications.mirror import Mirror

    other = Mirror()
    other.start()
    for number in range(10):
        _say(session, number * 4, f"Message {number}")
        mirror.wake()
        other.wake()
    wait_until(all_sent, within=30)
    other.stop(seconds=1)
    found, _ = _sent_in_order(discord_server)
    assert len(found) == len(set(found)) == 20
    assert found == sorted(found, key=lambda one: int(one[1:]))
