"""An answer from the models in their order: tries, pauses, breakers, fallback models."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import structlog
from django.conf import settings

from chat_app import breaker, llm
from chat_app.llm import Completion, OnText, ProviderError
from chat_app.prompts import Turn, estimate

log = structlog.get_logger(__name__)

# Called before a model is asked anew after a part of an answer was handed out.
OnRestart = Callable[[], Awaitable[None]]

_TRIES_A_MODEL = 2
_FIRST_PAUSE = 0.5
# These do not open a breaker: one visitor's odd question must not silence the model for all.
_THE_QUESTIONS_FAULT = frozenset(
    {"BadRequestError", "ContentPolicyViolationError", "ContextWindowExceededError", "empty_answer"}
)


async def complete(
    turns: Sequence[Turn],
    *,
    request_id: str,
    on_text: OnText | None = None,
    on_restart: OnRestart | None = None,
) -> Completion:
    """Ask the models in their order until one answers; `on_text` gets the text as it comes.

    Each is tried twice where that may help, and not at all while its breaker is open. Raises the
    last ProviderError when none answered, or when LLM_TOTAL_TIMEOUT is over.
    """
    last = ProviderError("no_model", permanent=True)
    failed: dict[str, str] = {}
    try:
        async with asyncio.timeout(settings.LLM_TOTAL_TIMEOUT):
            for model, pause in _plan():
                if pause and last.permanent:
                    continue
                await asyncio.sleep(pause)
                call = llm.Call(model, turns, request_id, on_text)
                try:
                    found = await _unless_spared(call)
                except ProviderError as error:
                    last = error
                    failed.setdefault(model, error.code)
                else:
                    before = (code for name, code in failed.items() if name != model)
                    return replace(found, fell_back=next(before, ""))
                if call.text and on_restart:
                    await on_restart()
    except TimeoutError:
        raise ProviderError("total_timeout", permanent=False, model=last.model) from None
    raise last


def most(turns: Sequence[Turn]) -> tuple[int, Decimal]:
    """What an answer to these turns takes at most: tokens, and dollars of the dearest model."""
    prompt = sum(estimate(turn["content"]) for turn in turns)
    models = {model for model, _ in _plan()}
    costs = (llm.cost(model, prompt, settings.LLM_MAX_TOKENS) or Decimal() for model in models)
    return prompt + settings.LLM_MAX_TOKENS, max(costs, default=Decimal())


async def _unless_spared(call: llm.Call) -> Completion:
    """Make the call where its model's breaker lets it, and tell the breaker how it ended."""
    guard = breaker.of(call.model)
    if not guard.admits():
        raise ProviderError("spared", permanent=True, model=call.model)
    try:
        found = await call.run()
    except ProviderError as error:
        log.warning("model failed", model=call.model, error=error.code)
        if error.code not in _THE_QUESTIONS_FAULT:
            guard.failed()
        raise
    guard.succeeded()
    return found


def _plan() -> list[tuple[str, float]]:
    """The models to ask, each with the seconds to wait before; jitter keeps a herd apart."""
    models = [model for model in (settings.LLM_MODEL, *settings.LLM_FALLBACK_MODELS) if model]
    return [
        (model, random.uniform(0.5, 1.5) * _FIRST_PAUSE if again else 0.0)  # noqa: S311  (jitter)
        for model in models
        for again in range(_TRIES_A_MODEL)
    ]
