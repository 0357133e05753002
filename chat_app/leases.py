"""Whose an answer is while it is made: claimed, kept alive and given up by conditional UPDATEs.

All times are the database's, so that the clocks of machines do not matter."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from chat_app.models import UNFINISHED, AnswerStatus, ChatMessage
from chatsite.core import metrics, returning

# Where a built statement takes these.
_HOLDER: Final = "the holder"
_IDS: Final = "the ids"


def claim(*, most: int, but_not: Collection[str] = ()) -> list[ChatMessage]:
    """Up to `most` answers that wait or whose maker fell silent, now held by the caller.

    `but_not`: the answers that the caller is making; a lease of its own that ran out is kept, not
    taken over from itself.

    One answer of a session at a time, oldest first: a conversation stays in order, and nobody's
    many questions keep others waiting. Each comes with its question.
    """
    ids = _due(most, but_not)
    if not ids:
        return []
    token = secrets.token_urlsafe(16)
    if not _take(ids, token):
        return []
    mine = ChatMessage.objects.filter(lease_token=token, status=AnswerStatus.RUNNING)
    answers = list(mine.select_related("reply_to").order_by("timestamp"))
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
    statement, parameters = _due_statement(connection.vendor, settings.ANSWER_ATTEMPTS)
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} LIMIT %s", [*parameters, most + len(but_not)])
        found = [pk for (pk,) in cursor.fetchall() if pk not in but_not]
    return found[:most]


def _take(ids: Sequence[str], token: str) -> int:
    """Hold what is still there of these answers; how many. Another worker may have been first."""
    settled = settings.ANSWER_ATTEMPTS, settings.ANSWER_LEASE_SECONDS
    statement, parameters = _take_statement(connection.vendor, *settled)
    places = ", ".join(["%s"] * len(ids))
    given = {_HOLDER: [token], _IDS: ids}
    with connection.cursor() as cursor:
        cursor.execute(
            statement.replace("IN (%s)", f"IN ({places})"),
            [value for one in parameters for value in given.get(one, [one])],
        )
        return int(cursor.rowcount)


@functools.cache
def _take_statement(_vendor: str, _attempts: int, _seconds: float) -> tuple[str, tuple[Any, ...]]:
    """To build it takes the ORM three times as long as the database takes to do it."""
    return returning.compiled(
        _claimable().filter(pk__in=[_IDS]),
        status=AnswerStatus.RUNNING,
        lease_token=_HOLDER,
        lease_until=_lease_end(),
        attempt=F("attempt") + 1,
    )


@functools.cache
def _due_statement(_vendor: str, _attempts: int) -> tuple[str, tuple[Any, ...]]:
    """To build it takes the ORM as long as the database takes to answer it."""
    due = _claimable().order_by("timestamp").values_list("pk")
    statement, parameters = due.query.sql_with_params()
    return statement, tuple(parameters)


def _claimable() -> QuerySet[ChatMessage]:
    unfinished = [str(status) for status in UNFINISHED]
    earlier = ChatMessage.objects.filter(
        session=OuterRef("session"), seq__lt=OuterRef("seq"), status__in=unfinished
    )
    # `status__in` beside the finer condition lets the partial index be used.
    return ChatMessage.objects.filter(
        Q(status=AnswerStatus.QUEUED) | Q(status=AnswerStatus.RUNNING, lease_until__lt=Now()),
        ~Exists(earlier),
        status__in=unfinished,
        stop_requested=False,
        attempt__lt=settings.ANSWER_ATTEMPTS,
    )


def _lease_end() -> F:
    return Now() + timedelta(seconds=settings.ANSWER_LEASE_SECONDS)  # type: ignore[return-value]
