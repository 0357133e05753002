"""How an answer ends: once, by whoever holds it, with its event in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from chat_app import leases
from chat_app.models import UNFINISHED, AnswerStatus, ChatMessage
from chatsite.core import live, metrics, queue
from sessions_app import events
from sessions_app.models import ChatSession, EventKind, Responder

log = structlog.get_logger(__name__)

_SWEEP_BATCH = 100
# `error` of an answer that a person's word came before.
TAKEN_OVER = "taken_over"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer. Times in milliseconds, cost in US dollars."""

    status: AnswerStatus
    text: str
    degraded: bool = False
    safety: bool = False
    labels: Sequence[dict[str, str]] = field(default_factory=list)
    error: str = ""
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: Decimal | None = None
    first_token_ms: int | None = None


def failure(error: str, *, text: str = "") -> Outcome:
    """The outcome where no model could answer: a text the visitor can act on."""
    said = text or settings.LLM_FALLBACK_TEXT
    return Outcome(AnswerStatus.FAILED, said, degraded=True, error=error[:64])


def finish(*, answer: ChatMessage, outcome: Outcome) -> bool:
    """Store the outcome if the caller still holds the answer; says whether it did."""
    return _end(leases.held(answer), answer, outcome)


def stop_waiting(*, answer: ChatMessage) -> bool:
    """Stop an answer that nobody has begun; says whether it was one."""
    unclaimed = ChatMessage.objects.filter(pk=answer.pk, status=AnswerStatus.QUEUED)
    return _end(unclaimed, answer, Outcome(AnswerStatus.STOPPED, ""))


def sweep() -> int:
    """End the answers that are tried no more, ring for those that wait; how many were ended."""
    ended = 0
    for answer in leases.spent()[:_SWEEP_BATCH]:
        stopped = Outcome(AnswerStatus.STOPPED, "")
        outcome = stopped if answer.stop_requested else failure("attempts_exhausted")
        # Its maker may have come back meanwhile: `spent` is asked again in the UPDATE.
        ended += _end(leases.spent().filter(pk=answer.pk), answer, outcome)
    if leases.waiting().exists():
        live.ring(queue.ANSWER)
    return ended


def give_way(*, session_id: str) -> int:
    """Stop the session's unfinished answers without a word of theirs; how many.

    Inside the transaction that hands the session to a person, after its UPDATE of the session:
    whatever holds these answers finds its lease gone, and `_end` finds a person.
    """
    unfinished = ChatMessage.objects.filter(
        session_id=session_id, status__in=[str(status) for status in UNFINISHED]
    )
    ids = list(unfinished.order_by("seq").values_list("pk", flat=True))
    for answer_id in ids:
        ChatSession.objects.filter(pk=session_id).update(last_seq=F("last_seq") + 1)
        unfinished.filter(pk=answer_id).update(
            status=AnswerStatus.STOPPED,
            content="",
            error=TAKEN_OVER,
            finished_at=timezone.now(),
            lease_token="",
            lease_until=None,
        )
        events.record_next(session_id=session_id, kind=EventKind.ANSWER, reference=answer_id)
        live.request_stop(answer_id)
        count(AnswerStatus.STOPPED, TAKEN_OVER)
    return len(ids)


@transaction.atomic
def _end(still: QuerySet[ChatMessage], answer: ChatMessage, outcome: Outcome) -> bool:
    # The session first, as posting does: two transactions that lock in one order cannot deadlock.
    # Whoever hands the session to a person holds this row until that is done: from then on there
    # is no answer to end, and none is stored after the person's word.
    is_ais = ChatSession.objects.filter(pk=answer.session_id, responder=Responder.AI).update(
        last_seq=F("last_seq") + 1
    )
    ended = is_ais and still.filter(status__in=[str(status) for status in UNFINISHED]).update(
        status=outcome.status,
        content=outcome.text,
        degraded=outcome.degraded,
        safety=outcome.safety,
        labels=list(outcome.labels),
        error=outcome.error,
        model=outcome.model,
        prompt_tokens=outcome.prompt_tokens,
        completion_tokens=outcome.completion_tokens,
        cost=outcome.cost,
        first_token_ms=outcome.first_token_ms,
        finished_at=timezone.now(),
        lease_token="",
        lease_until=None,
    )
    if not ended:
        transaction.set_rollback(True)
        log.info("answer was not ours to end", answer=answer.pk)
        return False
    events.record_next(session_id=answer.session_id, kind=EventKind.ANSWER, reference=answer.pk)
    count(outcome.status, outcome.error)
    return True


def count(status: AnswerStatus, error: str) -> None:
    """Count an answer that ended, for the metrics."""
    labels = str(status), metrics.cause(error)
    transaction.on_commit(lambda: metrics.ANSWERS.labels(*labels).inc())
