"""What staff may do in a conversation: take it over, speak, correct what they said, end it.

Discord's bot and the admin are two interfaces of these rules."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from chat_app import answers
from chat_app.models import ChatMessage, MessageType
from chatsite.core.errors import InvalidInput, NotFound
from sessions_app import audit, events
from sessions_app import staff as sessions
from sessions_app.audit import Actor
from sessions_app.models import Act, ChatSession, EventKind, Responder


@transaction.atomic
def take_over(*, session_id: str, actor: Actor) -> bool:
    """Have a person answer from now on; False where one does.

    An answer in the making is stopped and never shown. Raises ConversationClosed.
    """
    taken = sessions.set_responder(session_id=session_id, responder=Responder.HUMAN, actor=actor)
    if taken:
        answers.give_way(session_id=session_id)
    return taken


def hand_back(*, session_id: str, actor: Actor) -> bool:
    """Have the AI answer what is asked from now on; False where it does.

    Raises ConversationClosed.
    """
    return sessions.set_responder(session_id=session_id, responder=Responder.AI, actor=actor)


@transaction.atomic
def post_message(
    *, session_id: str, text: str, actor: Actor, author: str = "", client_key: str | None = None
) -> ChatMessage:
    """Say something to the visitor as staff, which takes the conversation over.

    The same `client_key` says it once and returns what was said then. `author` is what the
    visitor is told, the team where empty. Raises ConversationClosed, InvalidInput.
    """
    _refuse_unsayable(text)
    if client_key and (said := _said(session_id, client_key)):
        return said
    take_over(session_id=session_id, actor=actor)
    _take_number(session_id)
    said = ChatMessage.objects.create(
        session_id=session_id,
        seq=ChatSession.objects.values_list("last_seq", flat=True).get(pk=session_id),
        message_type=MessageType.STAFF,
        content=text,
        author=(author or settings.STAFF_NAME)[:64],
        client_key=client_key,
        client_hash=hashlib.sha256(text.encode()).hexdigest() if client_key else "",
    )
    events.record_next(session_id=session_id, kind=EventKind.MESSAGE, reference=said.pk)
    audit.record(actor=actor, act=Act.REPLY, session_id=session_id, detail=said.pk)
    return said


@transaction.atomic
def edit_message(*, session_id: str, message_id: str, text: str, actor: Actor) -> bool:
    """Replace what staff said; False where it says that. Raises NotFound, InvalidInput."""
    _refuse_unsayable(text)
    said = _standing(session_id, message_id)
    _number_anyway(session_id)
    if not said.exclude(content=text).update(content=text, edited_at=timezone.now()):
        return _same(said)
    events.record_next(session_id=session_id, kind=EventKind.EDITED, reference=message_id)
    audit.record(actor=actor, act=Act.EDIT, session_id=session_id, detail=message_id)
    return True


@transaction.atomic
def delete_message(*, session_id: str, message_id: str, actor: Actor) -> bool:
    """Take back what staff said; False where that was done. Raises NotFound.

    The row keeps its text for the record; no visitor is shown it again.
    """
    said = _standing(session_id, message_id)
    _number_anyway(session_id)
    if not said.update(deleted_at=timezone.now()):
        transaction.set_rollback(True)
        return False
    events.record_next(session_id=session_id, kind=EventKind.DELETED, reference=message_id)
    audit.record(actor=actor, act=Act.DELETE, session_id=session_id, detail=message_id)
    return True


@transaction.atomic
def close(*, session_id: str, actor: Actor, text: str = "") -> bool:
    """End the conversation as settled, with a last word where there is one; False if it was ended.

    An answer in the making is stopped: nothing follows the end. The visitor's next message opens
    the conversation again. Raises InvalidInput, ConversationClosed (with a text).
    """
    if text.strip():
        post_message(session_id=session_id, text=text, actor=actor)
    closed = sessions.close(session_id=session_id, actor=actor)
    if closed:
        answers.give_way(session_id=session_id)
    return closed


def _said(session_id: str, client_key: str) -> ChatMessage | None:
    return ChatMessage.objects.filter(session_id=session_id, client_key=client_key).first()


def _take_number(session_id: str) -> None:
    now = timezone.now()
    is_open = ChatSession.objects.filter(pk=session_id, is_active=True, expires_at__gt=now)
    if not is_open.update(last_seq=F("last_seq") + 1, last_activity=now):
        raise sessions.ConversationClosed


def _number_anyway(session_id: str) -> None:
    """Lock the session and take a number, open or not: what was said in it can be corrected."""
    ChatSession.objects.filter(pk=session_id).update(last_seq=F("last_seq") + 1)


def _standing(session_id: str, message_id: str) -> QuerySet[ChatMessage]:
    said = ChatMessage.objects.filter(
        pk=message_id, session_id=session_id, message_type=MessageType.STAFF
    )
    if not said.exists():
        raise NotFound
    return said.filter(deleted_at=None)


def _same(said: QuerySet[ChatMessage]) -> bool:
    if not said.exists():
        raise NotFound
    transaction.set_rollback(True)
    return False


def _refuse_unsayable(text: str) -> None:
    if not text.strip():
        raise InvalidInput("There is nothing to say.")
    if len(text) > settings.MAX_MESSAGE_LENGTH:
        raise InvalidInput(f"A message has at most {settings.MAX_MESSAGE_LENGTH} characters.")
    if "\0" in text:
        raise InvalidInput("A message cannot hold the character NUL.")
