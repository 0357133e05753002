"""What staff may do, and what the visitor sees of it over HTTP."""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from chat_app import answers, leases, selectors, services, snippets, staff
from chat_app.answers import Outcome
from chat_app.models import AnswerStatus, ChatMessage, MessageType
from chatsite.core.errors import InvalidInput, NotFound
from sessions_app import blocks
from sessions_app import services as sessions
from sessions_app import staff as session_staff
from sessions_app.audit import Actor
from sessions_app.models import AuditEntry, Block, ChatSession, Responder
from tests.support import AGENT, open_session

pytestmark = pytest.mark.django_db(transaction=True)

DANA = Actor("admin", "1", "Dana")
_RACES = 200


def _finish_later(answer: ChatMessage, delay: float) -> threading.Thread:
    def work() -> None:
        time.sleep(delay)
        answers.finish(answer=answer, outcome=Outcome(AnswerStatus.DONE, "The AI's word"))
        connections.close_all()

    made = threading.Thread(target=work)
    made.start()
    return made


@pytest.mark.no_cover  # many rounds of the same lines: tracing makes them slow
def test_no_answer_follows_a_persons_word_in_200_races() -> None:
    chance = random.Random(20261123)
    session = open_session()
    ChatSession.objects.filter(pk=session.pk).update(message_count=-0)
    outcomes = []
    for number in range(_RACES):
        ChatSession.objects.filter(pk=session.pk).update(message_count=0)
        posted = services.post_message(session=session, text=f"Question {number}")
        (claimed,) = leases.claim(most=1)
        made = _finish_later(claimed, chance.uniform(0, 0.012))
        time.sleep(chance.uniform(0, 0.012))
        said = staff.post_message(session_id=session.pk, text=f"Person {number}", actor=DANA)
        made.join()
        answer = ChatMessage.objects.get(pk=posted.answer.pk)
        told = list(
            session.events.filter(kind="answer", reference=answer.pk).values_list("seq", flat=True)
        )
        assert len(told) == 1, "an answer ends once"
        if answer.content:
            assert told[0] < said.seq, "the AI spoke after the person"
        else:
            assert (answer.status, answer.error) == ("stopped", "taken_over")
        outcomes.append(bool(answer.content))
        staff.hand_back(session_id=session.pk, actor=DANA)
    print(f"{_RACES} races: the AI was first {sum(outcomes)} times")
    assert 0 < sum(outcomes) < _RACES, "the race was none"


def test_a_stale_worker_cannot_write_after_hand_back(session: Any) -> None:
    services.post_message(session=session, text="Question")
    (claimed,) = leases.claim(most=1)
    staff.take_over(session_id=session.pk, actor=DANA)
    staff.hand_back(session_id=session.pk, actor=DANA)
    assert not answers.finish(answer=claimed, outcome=Outcome(AnswerStatus.DONE, "Late"))
    assert not ChatMessage.objects.filter(content="Late").exists()


def test_an_answer_never_ends_while_a_person_has_it(session: Any) -> None:
    services.post_message(session=session, text="Question")
    (claimed,) = leases.claim(most=1)
    ChatSession.objects.filter(pk=session.pk).update(responder=Responder.HUMAN)
    assert not answers.finish(answer=claimed, outcome=Outcome(AnswerStatus.DONE, "Late"))


def test_not_even_the_safety_answer_follows_a_take_over(session: Any) -> None:
    staff.take_over(session_id=session.pk, actor=DANA)
    posted = services.post_message(session=session, text="<script>alert('xss')</script>")
    assert posted.answer is None
    assert not ChatMessage.objects.filter(message_type=MessageType.ASSISTANT).exists()


def test_a_person_answers_in_history_and_stream(visitor: Any, session: Any) -> None:
    question = visitor.leave("Hello?").json()["message_id"]
    staff.post_message(session_id=session.pk, text="A person here", actor=DANA)
    assert visitor.leave("Thanks").json()["status"] == "with_staff"
    first, second, third = visitor.get("/chat/history").json()["messages"]
    assert (first["id"], first["answered_by"], first["status"]) == (question, None, "with_staff")
    assert (second["message"], second["response"]) == ("", "A person here")
    assert (second["answered_by"], second["author"]) == ("staff", "Support team")
    assert third["response"] == ""
    names = [event.name for event in selectors.events_after(session.pk, 0)]
    assert names == ["", "message", "status", "answer", "message", "message"]


def test_corrections_reach_the_visitor(visitor: Any, session: Any) -> None:
    said = staff.post_message(session_id=session.pk, text="Helo", actor=DANA)
    assert staff.edit_message(session_id=session.pk, message_id=said.pk, text="Hello", actor=DANA)
    again = {"session_id": session.pk, "message_id": said.pk, "actor": DANA}
    assert not staff.edit_message(text="Hello", **again)
    event = selectors.events_after(session.pk, said.seq)[-1]
    assert (event.name, event.data["text"]) == ("edited", "Hello")
    assert visitor.get(f"/chat/messages/{said.pk}").json()["text"] == "Hello"
    assert staff.delete_message(**again)
    assert not staff.delete_message(**again)
    event = selectors.events_after(session.pk, said.seq)[-1]
    assert (event.name, event.data) == ("deleted", {"id": said.pk})
    assert visitor.get(f"/chat/messages/{said.pk}").status_code == 404
    assert visitor.get("/chat/history").json()["messages"] == []
    assert "Hello" not in json.dumps([e.data for e in selectors.events_after(session.pk, 0)])
    with pytest.raises(NotFound):
        staff.edit_message(text="Back", **again)


def test_only_what_staff_said_can_be_corrected(session: Any) -> None:
    question = services.post_message(session=session, text="Mine").question
    with pytest.raises(NotFound):
        staff.edit_message(session_id=session.pk, message_id=question.pk, text="x", actor=DANA)
    with pytest.raises(NotFound):
        staff.delete_message(session_id=session.pk, message_id=question.pk, actor=DANA)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001, "nul \0"])
def test_refuses_what_cannot_be_said(session: Any, text: str) -> None:
    with pytest.raises(InvalidInput):
        staff.post_message(session_id=session.pk, text=text, actor=DANA)
    assert not AuditEntry.objects.exists()


def test_says_it_once_for_a_key(session: Any) -> None:
    options = {"session_id": session.pk, "text": "Once", "actor": DANA, "client_key": "k"}
    assert staff.post_message(**options).pk == staff.post_message(**options).pk
    assert ChatMessage.objects.count() == 1


def test_a_closed_conversation_is_opened_by_the_next_message(visitor: Any, session: Any) -> None:
    services.post_message(session=session, text="Question")
    assert staff.close(session_id=session.pk, actor=DANA, text="All done?")
    assert not staff.close(session_id=session.pk, actor=DANA)
    assert not ChatMessage.objects.filter(status__in=["queued", "running"]).exists()
    assert visitor.get("/auth/session").status_code == 401
    with pytest.raises(session_staff.ConversationClosed):
        staff.post_message(session_id=session.pk, text="More", actor=DANA)
    with pytest.raises(session_staff.ConversationClosed):
        staff.take_over(session_id=session.pk, actor=DANA)
    assert visitor.leave("One more thing").json()["status"] == "queued"
    assert visitor.get("/auth/session").json()["responder"] == "ai"


@pytest.mark.parametrize("closed_by", ["visitor", "expiry", "block", ""])
def test_other_ends_are_for_good(visitor: Any, session: Any, closed_by: str) -> None:
    sessions.close_session(session_id=session.pk, closed_by=closed_by)
    assert visitor.leave("Hello?").status_code == 401
    with pytest.raises(session_staff.CannotReopen):
        session_staff.reopen(session_id=session.pk, actor=DANA)


def test_a_settled_session_that_expired_is_not_opened(visitor: Any, session: Any) -> None:
    staff.close(session_id=session.pk, actor=DANA)
    ChatSession.objects.filter(pk=session.pk).update(
        expires_at=session.created_at - timedelta(seconds=1)
    )
    assert visitor.leave("Hello?").status_code == 401
    with pytest.raises(session_staff.CannotReopen, match="time is over"):
        session_staff.reopen(session_id=session.pk, actor=DANA)


def _sign_in(api: Any, email: str, address: str = "127.0.0.1") -> Any:
    return api.client.post(
        "/auth/email",
        {"email": email},
        content_type="application/json",
        headers={"user-agent": AGENT},
        REMOTE_ADDR=address,
    )


def test_a_block_keeps_address_and_email_out_until_its_end(
    api: Any, visitor: Any, session: Any
) -> None:
    other = open_session()
    made = blocks.block(
        session_id=session.pk, duration=timedelta(hours=1), reason="spam", actor=DANA
    )
    assert visitor.get("/auth/session").status_code == 401
    assert not ChatSession.objects.get(pk=other.pk).is_active
    refused = _sign_in(api, "ann@example.com", "198.51.100.9")
    assert (refused.status_code, refused.json()["code"]) == (403, "blocked")
    assert _sign_in(api, "someone.else@example.com").json()["code"] == "blocked"
    assert _sign_in(api, "someone.else@example.com", "198.51.100.9").status_code == 200
    Block.objects.filter(pk=made.pk).update(expires_at=made.created_at)
    assert _sign_in(api, "ann@example.com").status_code == 200


def test_unblocks(api: Any, session: Any) -> None:
    blocks.block(session_id=session.pk, duration=timedelta(hours=1), reason="", actor=DANA)
    assert blocks.unblock(session_id=session.pk, actor=DANA) == 1
    assert blocks.unblock(session_id=session.pk, actor=DANA) == 0
    assert _sign_in(api, "ann@example.com").status_code == 200


def test_an_unknown_address_is_not_blocked(session: Any) -> None:
    ChatSession.objects.filter(pk=session.pk).update(ip_address="0.0.0.0")
    made = blocks.block(session_id=session.pk, duration=timedelta(1), reason="", actor=DANA)
    assert made.network == ""


def test_revealing_is_recorded(session: Any) -> None:
    found = session_staff.reveal(session_id=session.pk, actor=DANA)
    assert (found.email, found.address) == ("ann@example.com", "127.0.0.1")
    assert AuditEntry.objects.get().act == "reveal"


def test_snippets_need_a_name_and_a_text() -> None:
    with pytest.raises(InvalidInput):
        snippets.store(name="Not a name!", text="x", actor=DANA)
    with pytest.raises(InvalidInput):
        snippets.store(name="ok", text=" ", actor=DANA)
    with pytest.raises(NotFound):
        snippets.get(name="none")
