"""A streamed answer read in fewer, longer pieces: below litellm each one costs the same.

A person reads no faster than pieces are told (replies.py). So what comes meanwhile is left on the
wire, and neighbours among the events that are read at once become one event."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any, Final

import httpx

# Between two readings, and between two tellings: a person reads no faster, and each costs as much
# as the last, however little came. Where many are followed at once it is longer, so that all of
# them together come in so many pieces a second: reading and telling one takes half a millisecond.
SECONDS: Final = 0.04
_MOST_A_SECOND: Final = 500
# So many readings come at once: a role, and the first word.
_UNPAUSED: Final = 2
# Bytes that litellm reads at most at once: where it did, more is there.
_FULL: Final = 16 * 1024
# An event that is longer than a provider's answer may be is not waited for.
_MOST_BYTES: Final = 256 * 1024


# They end a line for httpx, but neither in JSON nor in a stream of events: litellm's own client,
# which reads the lines of httpx, would get two halves of an event and drop both.
_LINE_ENDS: Final = {
    one.encode(): json.dumps(one)[1:-1].encode() for one in ("\x85", "\u2028", "\u2029")
}


_followed = 0


@contextlib.contextmanager
def followed() -> Iterator[None]:
    """Within it one more answer of this process is followed."""
    global _followed
    _followed += 1
    try:
        yield
    finally:
        _followed -= 1


def pause() -> float:
    """Seconds between two pieces of an answer, with as many as are followed now."""
    return max(SECONDS, _followed / _MOST_A_SECOND)


class JoinedStream(httpx.AsyncByteStream):
    """The body of a response of server-sent events, its neighbouring pieces joined.

    `ended` returns, or raises, once nothing more comes: the end of an answer does not wait.
    """

    def __init__(self, body: httpx.AsyncByteStream, ended: Callable[[], Awaitable[Any]]) -> None:
        self._body, self._ended = body, ended

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        joiner, readings = Joiner(), 0
        async for read in self._body:
            if whole := joiner.feed(read):
                yield _without_line_ends(whole)
            readings += 1
            if readings > _UNPAUSED and len(read) < _FULL:
                await self._pause()
        if rest := joiner.rest():
            yield _without_line_ends(rest)

    async def aclose(self) -> None:
        await self._body.aclose()

    async def _pause(self) -> None:
        # What broke is raised by the next reading, as what the library makes of it.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(pause()):
                await self._ended()


class Joiner:
    """Takes bytes of server-sent events as they come, gives back whole events, joined."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_plain = True

    def feed(self, read: bytes) -> bytes:
        """What can be handed on now; the same text, whatever was joined.

        Raises httpx.RemoteProtocolError where an event is broken: openai's client raises then, but
        litellm's own drops it, and with it a piece of the answer.
        """
        data, self._rest = self._rest + read, b""
        # A carriage return ends lines another way: such a stream is handed on as it comes.
        self._is_plain = self._is_plain and b"\r" not in read and len(data) < _MOST_BYTES
        if not self._is_plain:
            return data
        *events, self._rest = data.split(b"\n\n")
        return b"".join(event + b"\n\n" for event in _joined(events))

    def rest(self) -> bytes:
        """What came after the last whole event; raises as `feed` does."""
        rest, self._rest = self._rest, b""
        _json(rest)
        return rest


def _without_line_ends(data: bytes) -> bytes:
    for one, escaped in _LINE_ENDS.items():
        data = data.replace(one, escaped)
    return data


def _joined(events: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    read = [(event, _piece(event)) for event in events]
    for _, neighbours in itertools.groupby(read, lambda one: one[1] is None):
        alike = list(neighbours)
        pieces = [piece for _, piece in alike if piece]
        found += [_one_of(pieces)] if len(pieces) > 1 else [event for event, _ in alike]
    return found


def _one_of(pieces: list[dict[str, Any]]) -> bytes:
    deltas = [piece["choices"][0]["delta"] for piece in pieces]
    deltas[0]["content"] = "".join(delta["content"] for delta in deltas)
    return b"data: " + json.dumps(pieces[0]).encode()


def _piece(event: bytes) -> dict[str, Any] | None:
    """The event as OpenAI's chunk, where it is text of one answer and nothing else."""
    data = _json(event)
    try:
        (choice,) = data["choices"]
        delta = choice["delta"]
        is_text = isinstance(delta["content"], str)
        # An index above 0 is another answer to the same question.
        others = [*_without(choice, "delta"), *_without(delta, "role", "content")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return data if is_text and not any((*others, data.get("usage"), data.get("error"))) else None


def _json(event: bytes) -> Any:
    """The object that an event of one line is, or None; raises RemoteProtocolError."""
    if not event.startswith(b"data: {") or b"\n" in event:
        return None
    try:
        return json.loads(event[6:])
    except UnicodeDecodeError:
        return None  # half a character: the client's to mend
    except (ValueError, RecursionError) as error:
        raise httpx.RemoteProtocolError("a streamed event is no JSON") from error


def _without(part: dict[str, Any], *names: str) -> list[Any]:
    return [value for name, value in part.items() if name not in names]
