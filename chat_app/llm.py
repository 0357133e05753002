"""The one door to models, and the only importer of litellm."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from chat_app import guard, straight, warming
from chat_app.prompts import Turn, estimate
from chatsite.core import metrics

# Without it the import fetches a price list from the internet.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # else it reads .env files of its own

import litellm
from litellm import exceptions as litellm_errors
from litellm._internal_context import is_internal_call
from litellm.litellm_core_utils import streaming_handler
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
from openai import _models as openai_models
from openai.resources.chat.completions import completions

litellm.suppress_debug_info = True
litellm.drop_params = True
litellm.turn_off_message_logging = True

_send = straight.refuse_redirections(LiteLLMAiohttpTransport)
straight.join_pieces(LiteLLMAiohttpTransport)
straight.post_once(AsyncHTTPHandler)
_protocol = straight.know_configs(openai_models)
straight.price_nothing(Logging)
_adapter = straight.remember_adapters(openai_models)
_transform = straight.keep_plain_messages(completions)
_aside = straight.believe_usage(streaming_handler)

OnText = Callable[[str], Awaitable[None]]
# An answer of LLM_MAX_TOKENS tokens has far fewer; a provider that pours more is cut off.
_MOST_CHARACTERS = 50_000


class ProviderError(Exception):
    """A model gave no answer. `permanent`: asking the same one again is of no use."""

    def __init__(self, code: str, *, permanent: bool, model: str = "") -> None:
        super().__init__(code)
        self.code, self.permanent, self.model = code, permanent, model


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer; the first token's time in milliseconds, cost in US dollars.

    `fell_back`: why the models before this one gave none; empty of the first.
    """

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal | None
    first_token_ms: int
    fell_back: str = ""


async def warm_up() -> None:
    """Have litellm import and build what a first call needs: two seconds no visitor should wait.

    Both kinds of call are made, of a provider of our own: a mocked answer warms up only a half.
    """
    async with warming.provider() as base:
        options: dict[str, Any] = {
            "model": "openai/warm-up",
            "api_base": base,
            "api_key": "none",
            "messages": [{"role": "user", "content": "."}],
            "max_retries": 0,
        }
        await litellm.acompletion(**options)
        options |= {"stream": True, "stream_options": {"include_usage": True}}
        async for _ in await litellm.acompletion(**options):
            pass
    cost("openai/warm-up", 1, 1)


class Call:
    """One call of one model; `text` is what has come so far."""

    def __init__(
        self, model: str, turns: Sequence[Turn], request_id: str, on_text: OnText | None
    ) -> None:
        self.model, self._turns, self._on_text = model, turns, on_text
        self._request_id = request_id
        self.text = ""
        self._began = time.perf_counter()
        self._first_token_ms = 0

    async def run(self) -> Completion:
        """The answer, counted; raises ProviderError, whatever the provider or litellm does."""
        result = "cancelled"
        # litellm would log it, for callbacks that nobody set: a tenth of what a call costs.
        is_internal_call.set(True)
        try:
            found = await self._run()
            result = "ok"
        except ProviderError as error:
            result = metrics.cause(error.code)
            raise
        finally:
            metrics.PROVIDER_CALLS.labels(self.model, result).inc()
            metrics.PROVIDER_SECONDS.labels(self.model).observe(time.perf_counter() - self._began)
        _count(found)
        return found

    async def _run(self) -> Completion:
        try:
            async with asyncio.timeout(settings.LLM_TIMEOUT):
                return await (self._streamed() if self._on_text else self._whole())
        except TimeoutError as error:
            raise self._error("timeout", permanent=False) from error
        except (ProviderError, guard.Leak):
            raise
        except Exception as error:  # the door's edge: no library's error passes through it
            code = type(error).__name__
            raise self._error(code, permanent=isinstance(error, _PERMANENT)) from error

    async def _whole(self) -> Completion:
        found: Any = await litellm.acompletion(**self._options())
        self._first_token()
        choices = getattr(found, "choices", None) or []
        self.text = (choices[0].message.content or "")[:_MOST_CHARACTERS] if choices else ""
        return self._completion(getattr(found, "usage", None), found)

    async def _streamed(self) -> Completion:
        assert self._on_text is not None
        usage = None
        async with asyncio.timeout(settings.LLM_FIRST_TOKEN_TIMEOUT):
            stream: Any = await litellm.acompletion(
                **self._options(), stream=True, stream_options={"include_usage": True}
            )
        straight.log_nothing(stream)
        async with aclosing(self._watched(stream)) as chunks:
            async for chunk in chunks:
                usage = getattr(chunk, "usage", None) or usage
                piece = chunk.choices[0].delta.content if chunk.choices else None
                if piece:
                    self._first_token()
                    piece = piece[: _MOST_CHARACTERS - len(self.text)]  # it may be many, joined
                    self.text += piece
                    await self._on_text(piece)
                if len(self.text) >= _MOST_CHARACTERS:
                    break
        return self._completion(usage, None)

    async def _watched(self, stream: Any) -> AsyncGenerator[Any]:
        """The chunks; raises ProviderError where the first, or the next, is too long in coming."""
        chunks = aiter(stream)
        limit, code = settings.LLM_FIRST_TOKEN_TIMEOUT, "first_token_timeout"
        while True:
            try:
                async with asyncio.timeout(limit):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise self._error(code, permanent=False) from error
            yield chunk
            limit, code = settings.LLM_GAP_TIMEOUT, "gap_timeout"

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "model": self.model,
            "messages": list(self._turns),
            "temperature": settings.LLM_TEMPERATURE,
            "max_tokens": settings.LLM_MAX_TOKENS,
            "timeout": settings.LLM_TIMEOUT,
            "num_retries": 0,
            "max_retries": 0,
            "extra_headers": {"X-Request-ID": self._request_id},
        }
        if self.model.startswith("gemini/") and settings.GOOGLE_API_KEY:
            options["api_key"] = settings.GOOGLE_API_KEY
        elif settings.LLM_API_KEY:
            options["api_key"] = settings.LLM_API_KEY
        if settings.LLM_API_BASE and not self.model.startswith("gemini/"):
            options["api_base"] = settings.LLM_API_BASE
        return options

    def _first_token(self) -> None:
        if not self._first_token_ms:
            self._first_token_ms = max(1, round((time.perf_counter() - self._began) * 1000))

    def _completion(self, usage: Any, response: Any) -> Completion:
        if not self.text.strip():
            raise self._error("empty_answer", permanent=False)
        asked = sum(estimate(turn["content"]) for turn in self._turns)
        prompt = getattr(usage, "prompt_tokens", None) or asked
        completion = getattr(usage, "completion_tokens", None) or estimate(self.text)
        return Completion(
            text=self.text,
            model=self.model,
            prompt_tokens=prompt,
            completion_tokens=completion,
            cost=cost(self.model, prompt, completion),
            first_token_ms=self._first_token_ms,
        )

    def _error(self, code: str, *, permanent: bool) -> ProviderError:
        return ProviderError(code, permanent=permanent, model=self.model)


def _count(found: Completion) -> None:
    metrics.FIRST_TOKEN_SECONDS.labels(found.model).observe(found.first_token_ms / 1000)
    metrics.TOKENS.labels(found.model, "prompt").inc(found.prompt_tokens)
    metrics.TOKENS.labels(found.model, "completion").inc(found.completion_tokens)
    metrics.COST.labels(found.model).inc(float(found.cost or 0))


_PERMANENT = (
    litellm_errors.AuthenticationError,
    litellm_errors.BadRequestError,
    litellm_errors.NotFoundError,
    litellm_errors.PermissionDeniedError,
)


_unpriced: set[str] = set()


def cost(model: str, prompt: int, completion: int) -> Decimal | None:
    """US dollars, by litellm's price list; None for a model that it does not know."""
    if model in _unpriced:  # to find that out anew costs half a millisecond
        return None
    try:
        parts = litellm.cost_per_token(
            model=model, prompt_tokens=prompt, completion_tokens=completion
        )
    except Exception:  # litellm raises several kinds for a model without a price
        _unpriced.add(model)
        return None
    return Decimal(str(sum(parts))).quantize(Decimal("1e-8"))
