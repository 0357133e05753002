"""Whose an answer is while it is made: claimed, kept alive and given up by conditional UPDATEs.

All times are the database's, so that the clocks of machines do not matter."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import CharField, Exists, F, IntegerField, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from chat_app.models import UNFINISHED, AnswerStatus, ChatMessage
from chatsite.core import metrics, statements
from chatsite.core.statements import Rows, Slot, Statement


def claim(*, most: int, but_not: Collection[str] = ()) -> list[ChatMessage]:
    """Up to `most` answers that wait or whose maker fell silent, now held by the caller.

    `but_not`: the answers that the caller is making; a lease of its own that ran out is kept, not
    taken over from itself.

    One answer of a session at a time, oldest first: a conversation stays in order, and nobody's
    many questions keep others waiting.
    """
    ids = _due(most, but_not)
    if not ids:
        return []
    token = secrets.token_urlsafe(16)
    # Another worker may have been first with some of them.
    taking = _taking(settings.ANSWER_ATTEMPTS, settings.ANSWER_LEASE_SECONDS)
    answers = sorted(taking.find(ids=ids, holder=token), key=lambda one: one.timestamp)
    # What was given back is not counted as tried: a second attempt follows a silent worker.
    metrics.LEASES_LOST.labels("answer").inc(sum(answer.attempt > 1 for answer in answers))
    return answers


@transaction.atomic
def keep(tokens: Collection[str]) -> set[str]:
    """Lengthen these leases; the ids of the answers that are still held and wanted."""
    held = ChatMessage.objects.filter(lease_token__in=tokens, status=AnswerStatus.RUNNING)
    free = held
    if connection.features.has_select_for_update_skip_locked:
        # What somebody holds at this moment is being ended or stopped: to wait for it here, with
        # others in hand that end beside it, would be a deadlock.
        locked = held.select_for_update(skip_locked=True).values_list("pk", flat=True)
        free = held.filter(pk__in=list(locked))
    free.update(lease_until=_lease_end())
    return set(held.filter(stop_requested=False).values_list("pk", flat=True))


def give_back(answers: Collection[ChatMessage]) -> int:
    """Put answers that were not finished back into the queue as if never tried; how many."""
    return sum(
        held(answer).update(
            status=AnswerStatus.QUEUED, attempt=F("attempt") - 1, lease_token="", lease_until=None
        )
        for answer in answers
    )


def held(answer: ChatMessage) -> QuerySet[ChatMessage]:
    """The row of the answer, only as long as this claim of it is the latest."""
    return ChatMessage.objects.filter(
        pk=answer.pk, status=AnswerStatus.RUNNING, lease_token=answer.lease_token
    )


def spent() -> QuerySet[ChatMessage]:
    """Answers that nobody holds, and that are tried no more or are wanted no more."""
    unheld = Q(status=AnswerStatus.QUEUED) | Q(status=AnswerStatus.RUNNING, lease_until__lt=Now())
    return ChatMessage.objects.filter(
        unheld,
        Q(attempt__gte=settings.ANSWER_ATTEMPTS) | Q(stop_requested=True),
        status__in=[str(status) for status in UNFINISHED],
    )


def waiting() -> QuerySet[ChatMessage]:
    """Answers that a worker could take now."""
    return _claimable()


def _due(most: int, but_not: Collection[str]) -> list[str]:
    """The ids of what could be claimed, oldest first. Mostly nothing: it is asked at each bell."""
    due = _looking(settings.ANSWER_ATTEMPTS).ask(most=most + len(but_not))
    found = [pk for (pk,) in due if pk not in but_not]
    return found[:most]


@statements.once
def _looking(_attempts: int) -> Statement:
    due = _claimable().order_by("timestamp").values_list("pk")
    sql, parameters = due.query.sql_with_params()
    return Statement(f"{sql} LIMIT %s", [*parameters, Slot("most", IntegerField())])


@statements.once
def _taking(_attempts: int, _seconds: float) -> Rows[ChatMessage]:
    # That none before it is unfinished was seen, and stays so: new ones get higher numbers, under
    # the session's lock, and what is finished stays it. To ask again costs as much as the rest.
    return statements.update_rows(
        _unheld().filter(pk__in=[Slot("ids", CharField())]),
        status=AnswerStatus.RUNNING,
        lease_token=Slot("holder", CharField()),
        lease_until=_lease_end(),
        attempt=F("attempt") + 1,
    )


def _claimable() -> QuerySet[ChatMessage]:
    unfinished = [str(status) for status in UNFINISHED]
    earlier = ChatMessage.objects.filter(
        session=OuterRef("session"), seq__lt=OuterRef("seq"), status__in=unfinished
    )
    return _unheld().filter(~Exists(earlier))


def _unheld() -> QuerySet[ChatMessage]:
    # `status__in` beside the finer condition lets the partial index be used.
    return ChatMessage.objects.filter(
        Q(status=AnswerStatus.QUEUED) | Q(status=AnswerStatus.RUNNING, lease_until__lt=Now()),
        status__in=[str(status) for status in UNFINISHED],
        stop_requested=False,
        attempt__lt=settings.ANSWER_ATTEMPTS,
    )


def _lease_end() -> F:
    return Now() + timedelta(seconds=settings.ANSWER_LEASE_SECONDS)  # type: ignore[return-value]
