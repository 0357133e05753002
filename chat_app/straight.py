"""What is changed in the libraries below litellm, whose versions are pinned."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from chat_app import joining

# Far more than openai's models have.
_MOST_TYPES: Final = 2000


def refuse_redirections(transport: Any) -> Any:
    """Have this class of transports hand a redirection on as the failure that it is (ADR 0031).

    litellm's clients would send the conversation, and with 307 the key, wherever it points.
    Gives back how the class sent before.
    """
    return _change_responses(transport, lambda response: response.headers.pop("location", None))


def join_pieces(transport: Any) -> None:
    """Have this class of transports read streamed answers in joined pieces (joining.py)."""
    _change_responses(transport, _join)


def post_once(client: Any) -> None:
    """Have litellm's class of clients not post again by itself where a connection broke.

    It would, whatever the retries are set to, once the provider may have begun; and a stream that
    it asked for so is closed before it is read. Whoever calls llm.py decides, and counts.
    """

    async def single_connection_post_request(*_given: Any, **_more: Any) -> Any:
        error = sys.exception()
        assert error is not None, "it is called where a connection broke"
        raise error

    client.single_connection_post_request = single_connection_post_request


def keep_plain_messages(resource: Any) -> Any:
    """Have openai's module of chat completions pass messages of plain text on as they are.

    It tries each against every kind of message there is, and finds nothing to change: a sixth of
    what an answer with eight earlier messages costs the worker. Gives back how it did that.
    """
    transform = resource.async_maybe_transform

    async def async_maybe_transform(data: Any, expected_type: Any) -> Any:
        messages = data.get("messages") if isinstance(data, Mapping) else None
        if not messages or not all(map(_is_plain, messages)):
            return await transform(data, expected_type)
        body = await transform({**data, "messages": []}, expected_type)
        return {**body, "messages": messages}

    resource.async_maybe_transform = async_maybe_transform
    return transform


class _OldConfig:
    """What pydantic 1 had in place of a dict."""


def know_configs(models: Any) -> Any:
    """Have openai's module of models see by a class what pydantic's configuration is.

    It asks a protocol, of each part of each piece of an answer: an eighth of what streaming costs
    with Python 3.11. With pydantic 2 it is a dict. Gives back what it asked.
    """
    protocol, models._ConfigProtocol = models._ConfigProtocol, _OldConfig
    return protocol


def remember_adapters(models: Any) -> Any:
    """Have openai's module of models find the validator of a type by the type itself.

    It finds it by the type's hash, which Python makes anew of all its parts each time: an eighth of
    what streaming costs. Gives back how it found it.
    """
    find = models.TypeAdapter
    found: dict[int, tuple[Any, Any]] = {}

    def adapter(type_: Any) -> Any:
        known = found.get(id(type_))
        if known is None:
            # The type is kept with it, so that no other one gets its place in memory.
            known = type_, find(type_)
            if len(found) < _MOST_TYPES:
                found[id(type_)] = known
        return known[1]

    models.TypeAdapter = adapter
    return find


def price_nothing(logging: Any) -> None:
    """Have litellm's class of logs not look up what a call cost: llm.py asks for that itself.

    It is a quarter of what a whole answer costs the worker.
    """
    logging.response_cost_calculator = lambda *_given, **_more: None


def believe_usage(streams: Any) -> Any:
    """Have litellm's module of streams take what was used from the provider, which told it.

    It makes the whole answer anew of its pieces, in a thread, at the end of each stream; nobody
    reads of it but what was used. Gives back how it went into a thread.
    """
    aside = streams.asyncify

    def asyncify(build: Callable[..., Any]) -> Callable[..., Any]:
        async def built(*, chunks: Any, **more: Any) -> Any:
            usage = streams.calculate_total_usage(chunks)
            if not (usage.prompt_tokens and usage.completion_tokens):  # not told: it is counted
                return await aside(build)(chunks=chunks, **more)
            return streams.ModelResponse(usage=usage)

        return built

    streams.asyncify = asyncify
    return aside


def log_nothing(stream: Any) -> None:
    """Have litellm not log this stream's end, for callbacks that nobody set.

    It leaves that to whoever says so in this way: its own proxy does.
    """
    stream.logging_obj._on_deferred_stream_complete = True


def _change_responses(transport: Any, change: Callable[[Any], Any]) -> Any:
    send = transport.handle_async_request

    async def handle_async_request(self: Any, request: Any) -> Any:
        response = await send(self, request)
        change(response)
        return response

    transport.handle_async_request = handle_async_request
    return send


def _join(response: Any) -> None:
    is_streamed = response.headers.get("content-type", "").startswith("text/event-stream")
    if is_streamed and "content-encoding" not in response.headers:
        ended = response.stream._aiohttp_response.content.wait_eof
        response.stream = joining.JoinedStream(response.stream, ended)


def _is_plain(message: Any) -> bool:
    return isinstance(message, dict) and all(isinstance(part, str) for part in message.values())
