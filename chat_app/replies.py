"""Making one answer: its context, the model, what is shown meanwhile, and the end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

import redis.asyncio
import structlog
from django.conf import settings
from redis.exceptions import RedisError

from chat_app import answers, fallbacks, guard, joining, kept_back, llm, pulse, writing
from chat_app.answers import Outcome
from chat_app.budgets import Amount, Spent, Taken
from chat_app.endings import Ended, Ending
from chat_app.models import AnswerStatus, ChatMessage
from chat_app.preparing import Prepared
from chat_app.prompts import Turn
from chatsite.core import cancelling, live, logs, metrics

log = structlog.get_logger(__name__)


_LET_THROUGH = 0.1  # seconds


class Reply:
    """One claimed answer in the making. Cancelling `run` stops the model.

    `is_last`: its end was stored, and nothing else of its session can wait for an answer.
    """

    def __init__(
        self,
        answer: ChatMessage,
        prepared: Prepared,
        *,
        client: redis.asyncio.Redis,
        store: Callable[[Ending], Awaitable[Ended]],
        is_watched: bool,
    ) -> None:
        self.answer, self._prepared = answer, prepared
        self._client, self._store, self._is_watched = client, store, is_watched
        self.is_last = False
        self._shown = _Shown(answer, client)
        self._watch = self._new_watch()
        self._began = time.perf_counter()

    async def run(self) -> None:
        """Make the answer and store it if it is still ours to store."""
        with logs.bound(request_id=self.answer.request_id, answer=self.answer.pk):
            outcome = await self._make()
            await self.end(outcome)

    async def end(self, outcome: Outcome) -> None:
        """Store an outcome, if this claim is still held."""
        taken = None if isinstance(self._prepared.taken, Spent) else self._prepared.taken
        used = self._used(taken, outcome) if taken else Amount()
        ended = await self._store(Ending(self.answer, outcome, taken, used))
        self.is_last, is_held = ended == Ended.LAST, ended != Ended.LOST
        if is_held:
            metrics.ANSWER_SECONDS.observe(time.perf_counter() - self._began)
        log.info(
            "answer ended",
            status=str(outcome.status),
            held=is_held,
            attempt=self.answer.attempt,
            error=outcome.error,
            model=outcome.model,
            first_token_ms=outcome.first_token_ms,
        )

    def stopped(self) -> Outcome:
        """The outcome when a person stopped it: the text so far is kept."""
        return Outcome(AnswerStatus.STOPPED, self._shown.text, model=settings.LLM_MODEL)

    def _used(self, taken: Taken, outcome: Outcome) -> Amount:
        if outcome.prompt_tokens is not None:
            tokens = outcome.prompt_tokens + (outcome.completion_tokens or 0)
            return Amount(tokens, outcome.cost or Decimal())
        # What was stopped or broke off counts as a whole answer: how far a model was nobody says.
        is_free = outcome.status == AnswerStatus.FAILED and not self._shown.text
        return Amount() if is_free else taken.amount

    async def _make(self) -> Outcome:
        taken, turns = self._prepared.taken, self._prepared.turns
        if isinstance(taken, Spent):
            return answers.failure(taken.code, text=settings.LLM_BUDGET_TEXT)
        if not self._is_watched:
            return await self._ask(turns)
        writing.tell(session_id=self.answer.session_id, who=writing.ASSISTANT)
        with joining.followed():
            async with self._shown:
                return await self._ask(turns)

    async def _ask(self, turns: Sequence[Turn]) -> Outcome:
        try:
            found = await fallbacks.complete(
                turns,
                request_id=self.answer.request_id,
                on_text=self._let_out if self._is_watched else None,
                on_restart=self._restart,
            )
            text = await self._whole("" if self._is_watched else found.text)
        except guard.Leak:
            log.warning("an answer was kept back: it held the canary")
            return kept_back.outcome()
        except llm.ProviderError as error:
            await self._report(error.model, error.code)
            return answers.failure(error.code)
        await self._report(found.model, "")
        if not text.strip():
            return answers.failure("empty_answer")
        return Outcome(
            AnswerStatus.DONE,
            text,
            error=found.fell_back,
            model=found.model,
            prompt_tokens=found.prompt_tokens,
            completion_tokens=found.completion_tokens,
            cost=found.cost,
            first_token_ms=found.first_token_ms,
        )

    async def _let_out(self, piece: str) -> None:
        if ready := self._watch.feed(piece):
            await self._shown.add(ready)

    async def _restart(self) -> None:
        self._watch = self._new_watch()
        await self._shown.restart()

    def _new_watch(self) -> guard.Watch:
        return guard.Watch(kept_back.canary(), self._prepared.mark)

    async def _whole(self, unseen: str) -> str:
        """The answer as it may go out, with what came in one piece and what was held back."""
        self._watch.feed(unseen)
        if rest := self._watch.rest():
            await self._shown.add(rest)
        return self._watch.text

    async def _report(self, model: str, error: str) -> None:
        try:
            await pulse.provider_said(self._client, model=model, error=error)
        except (RedisError, OSError):
            log.debug("provider's state was not told")


class _Shown:
    """The text so far, told to those who watch in pieces, a few a second."""

    def __init__(self, answer: ChatMessage, client: redis.asyncio.Redis) -> None:
        self.text = ""
        self._answer, self._client = answer, client
        self._told = 0
        # Claims count in hundreds, calls of models within one in ones: each begins a new text.
        self._attempt = answer.attempt * 100
        self._task: asyncio.Task[None] | None = None
        self._more, self._telling = asyncio.Event(), asyncio.Lock()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._tell())

    async def __aexit__(self, *_: object) -> None:
        if self._task is None:
            return
        try:
            # What is being told is let through, if it is quick: redis-py may swallow a cancellation
            # as it finishes, and the answer would end a tenth of a second later.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LET_THROUGH), self._telling:
                    pass
        finally:
            await cancelling.end(self._task, again=0.1)

    async def add(self, piece: str) -> None:
        """One more piece of the answer."""
        self.text += piece
        self._more.set()

    async def restart(self) -> None:
        """What was shown is void: another model begins."""
        self.text, self._told = "", 0
        self._attempt += 1

    async def _tell(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            piece = self.text[self._told :]
            delta = live.Delta(
                self._answer.session_id, self._answer.pk, self._attempt, self._told, piece
            )
            self._told += len(piece)
            try:
                async with self._telling:
                    await live.publish_delta(self._client, delta)
            except (RedisError, OSError):
                # The end event brings the whole text; readers notice the gap and wait for it.
                log.debug("a piece was not told")
            await asyncio.sleep(joining.pause())


async def watched(client: redis.asyncio.Redis, claimed: Sequence[ChatMessage]) -> set[str]:
    """Of these answers, those whose pieces anybody follows: a streamed token costs 0.3 ms of CPU.

    One question for all of them; whoever asked for a stream is on the way.
    """
    found = {answer.pk for answer in claimed if answer.is_streamed}
    others = {live.delta_channel(answer.session_id): answer.pk for answer in claimed}
    try:
        counts: Any = await client.pubsub_numsub(*others) if len(found) < len(claimed) else ()
    except (RedisError, OSError):
        return found
    return found | {others[channel.decode()] for channel, count in counts if count}
