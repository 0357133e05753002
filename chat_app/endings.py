"""The ends of many answers in one transaction: whatever was finished while the last one ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import CharField, F, QuerySet
from django.utils import timezone

from chat_app import answers, budgets
from chat_app.answers import Outcome
from chat_app.budgets import Amount, Taken
from chat_app.models import AnswerStatus, ChatMessage
from chatsite.core import statements
from chatsite.core.statements import Slot, Statement
from sessions_app import events
from sessions_app.models import ChatSession, EventKind, Responder, SessionEvent

log = structlog.get_logger(__name__)

# After so many refusals the rest is not tried: each may have waited for a lock, and the next lot
# waits meanwhile.
_MOST_REFUSALS: Final = 3
_KEPT = ("degraded", "safety", "labels", "error", "model", "prompt_tokens",
         "completion_tokens", "cost", "first_token_ms")  # fmt: skip
_COLUMNS = ("status", "content", *_KEPT, "finished_at", "lease_token", "lease_until")


@dataclass(frozen=True, slots=True)
class Ending:
    """A claimed answer and its outcome; what was taken of budgets for it, and what was used."""

    answer: ChatMessage
    outcome: Outcome
    taken: Taken | None = None
    used: Amount = field(default_factory=Amount)


class Ended(Enum):
    """What became of an ending."""

    LOST = "the answer was not held any more"
    LAST = "nothing happened in its session since it was asked"
    MORE = "something may have, and may wait for an answer"


def finish(endings: Sequence[Ending]) -> list[Ended | OperationalError]:
    """Store the outcomes; says of each what became of it, or why the database did not take it.

    All at once where nothing stands against any; else one by one, as `answers.finish` does.
    """
    may_be_stored = False
    if len({ending.answer.session_id for ending in endings}) == len(endings):
        try:
            if numbers := _at_once(endings):
                return [_since(ending.answer, numbers) for ending in endings]
        except OperationalError:
            # What the database refuses to all of them, a deadlock above all, it may grant to each.
            # Or it took them, and what it said to the COMMIT is lost.
            may_be_stored = True
    return _one_by_one(endings, may_be_stored=may_be_stored)


def _since(answer: ChatMessage, numbers: dict[str, int]) -> Ended:
    # The number after the answer's own is that of its end, unless somebody took it meanwhile.
    return Ended.LAST if numbers[answer.session_id] == answer.seq + 1 else Ended.MORE


def _one_by_one(
    endings: Sequence[Ending], *, may_be_stored: bool
) -> list[Ended | OperationalError]:
    found: list[Ended | OperationalError] = []
    refusals: list[OperationalError] = []
    for ending in endings:
        if len(refusals) == _MOST_REFUSALS:
            found.append(refusals[-1])
            continue
        try:
            found.append(_alone(ending, may_be_stored=may_be_stored))
        except OperationalError as refusal:
            found.append(refusal)
            refusals.append(refusal)
    return found


def _alone(ending: Ending, *, may_be_stored: bool) -> Ended:
    ended = answers.finish(answer=ending.answer, outcome=ending.outcome)
    # Where it may have been settled already it stays so: too much counted only leaves less for
    # today; given back twice, the budget would allow more than its limit.
    if ending.taken and (ended or not may_be_stored):
        try:
            budgets.settle([(ending.taken, ending.used)])
        except OperationalError:  # the answer is stored all the same; what was taken stays counted
            log.warning("a budget was not settled", answer=ending.answer.pk)
    return Ended.MORE if ended else Ended.LOST


@transaction.atomic
def _at_once(endings: Sequence[Ending]) -> dict[str, int]:
    """The number of each session's event; empty where something stands against one of them."""
    # The sessions first, as posting does, and in one order: no two of these can deadlock.
    numbers = _take_numbers([ending.answer.session_id for ending in endings])
    if len(numbers) < len(endings) or _update(endings) < len(endings):
        transaction.set_rollback(True)
        return {}
    events.record(
        SessionEvent(
            session_id=ending.answer.session_id,
            seq=numbers[ending.answer.session_id],
            kind=EventKind.ANSWER,
            reference=ending.answer.pk,
        )
        for ending in endings
    )
    # Last: the row of all sessions is everybody's, and held for as short as can be.
    budgets.settle([(ending.taken, ending.used) for ending in endings if ending.taken])
    for ending in endings:
        answers.count(ending.outcome.status, ending.outcome.error)
    return numbers


def _take_numbers(sessions: list[str]) -> dict[str, int]:
    """The next event's number of each session that is the AI's; all stay locked."""
    if len(sessions) > 1 and connection.features.has_select_for_update:
        _locking().ask(sessions=sessions)
    return dict(_numbering().ask(sessions=sessions))


@statements.once
def _locking() -> Statement:
    rows = _ais().order_by("pk").select_for_update().values_list("pk")
    return Statement(*rows.query.sql_with_params())


@statements.once
def _numbering() -> Statement:
    return statements.update(_ais(), ("id", "last_seq"), last_seq=F("last_seq") + 1)


def _ais() -> QuerySet[ChatSession]:
    sessions = [Slot("sessions", CharField())]
    return ChatSession.objects.filter(pk__in=sessions, responder=Responder.AI)


def _update(endings: Sequence[Ending]) -> int:
    """Store the answers that are still held as they were claimed; how many."""
    fields = [ChatMessage._meta.get_field(name) for name in _COLUMNS]
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(field.column)} = %s" for field in fields)  # type: ignore[union-attr, arg-type]
    now = timezone.now()

    def row(ending: Ending) -> list[Any]:
        outcome = ending.outcome
        kept = (getattr(outcome, name) for name in _KEPT)
        values = (str(outcome.status), outcome.text, *kept, now, "", None)
        held = (ending.answer.pk, str(AnswerStatus.RUNNING), ending.answer.lease_token)
        prepared = (
            field.get_db_prep_save(value, connection)  # type: ignore[union-attr]
            for field, value in zip(fields, values, strict=True)
        )
        return [*prepared, *held]

    ended = statements.each(
        f"UPDATE {quote(ChatMessage._meta.db_table)} SET {changes}"  # noqa: S608  (our own names)
        " WHERE id = %s AND status = %s AND lease_token = %s RETURNING id",
        [row(ending) for ending in sorted(endings, key=lambda one: one.answer.pk)],
    )
    return len(ended)
