"""manage.py demo_data: conversations that the console shows like real ones."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db.models import Count, F, Q

from chat_app.models import AnswerStatus, ChatMessage, MessageType
from sessions_app.models import ChatSession
from tests.admin.conftest import LIST, SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _made() -> None:
    call_command("demo_data", sessions=80, seed=5, days=20, stdout=io.StringIO())


def test_makes_as_many_as_asked_with_messages_in_order() -> None:
    assert ChatSession.objects.count() == 80
    assert not ChatMessage.objects.filter(seq__gt=F("session__last_seq")).exists()
    said = ChatSession.objects.annotate(
        said=Count("messages", filter=Q(messages__message_type=MessageType.USER))
    )
    assert all(session.said == session.message_count for session in said)


def test_pairs_answers_with_questions() -> None:
    answers = ChatMessage.objects.filter(message_type=MessageType.ASSISTANT)
    assert answers.filter(status=AnswerStatus.DONE).exists()
    assert not answers.filter(reply_to=None).exists()


def test_is_shown_by_the_console(sign_in: SignIn) -> None:
    client = sign_in("Admin")

    assert client.get(LIST).status_code == 200
    assert client.get("/admin/", follow=True).status_code == 200
