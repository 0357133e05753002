"""The web process: Django's ASGI handler on a few lasting threads, with bounded bodies."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup(set_prefix=False)

from asgiref.sync import ThreadSensitiveContext  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core import signals  # noqa: E402
from django.core.cache import close_caches  # noqa: E402
from django.core.exceptions import RequestAborted  # noqa: E402
from django.core.handlers.asgi import ASGIHandler, get_script_prefix  # noqa: E402
from django.db import close_old_connections, reset_queries  # noqa: E402
from django.http.response import ResponseHeaders  # noqa: E402
from django.urls import get_resolver, set_script_prefix  # noqa: E402

from chatsite.core import bodies, errors, exposition  # noqa: E402

T = TypeVar("T")

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def leave_connections_to_threads() -> None:
    """Django looks after connections on its signals, on a thread: two hops a request."""
    signals.request_started.disconnect(reset_queries)
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_caches)


class Thread(ThreadPoolExecutor):
    """One lasting thread; its connection is looked after before and after each piece of work."""

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1, thread_name_prefix=name)

    def submit(self, act: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        """Have the thread do it."""
        return super().submit(_tidily, act, *args, **options)


def _tidily(act: Callable[..., T], *args: Any, **options: Any) -> T:
    close_old_connections()
    try:
        return act(*args, **options)
    finally:
        close_old_connections()


class Slots:
    """Threads that live on, each with one database connection; a request uses the idlest.

    Stock Django makes a thread and a connection for every request: half the throughput, and as
    many connections as requests (ADR 0003). One slot serves reads alone, where there are several:
    while all others wait for the database to take a write, a history can still be read.
    """

    def __init__(self, size: int) -> None:
        self._for_writes = max(1, size - 1)
        self._executors = [Thread(f"request-{n}") for n in range(size)]
        self._users = [0] * size

    def take(self, method: str) -> int:
        """The number of the slot with the fewest requests."""
        users = self._users if method in _READS else self._users[: self._for_writes]
        slot = users.index(min(users))
        self._users[slot] += 1
        return slot

    def leave(self, slot: int) -> None:
        """Give the slot back."""
        self._users[slot] -= 1

    def context(self, slot: int) -> ThreadSensitiveContext:
        """Within it, everything synchronous runs on the slot's thread."""
        return ThreadSensitiveContext(executor=self._executors[slot])


class Handler(ASGIHandler):
    """Django's handler on lasting threads, which reads no more of a body than it may have."""

    def __init__(self) -> None:
        super().__init__()
        self._slots = Slots(settings.WEB_THREADS)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is served here, not {scope['type']}")
        if exposition.is_asked(scope):
            await exposition.answer(scope, send)
            return
        is_refused = bodies.is_too_large(scope)
        slot = self._slots.take(scope["method"])
        try:
            async with self._slots.context(slot):
                await self.handle(scope, bodies.Unread() if is_refused else receive, send)
        finally:
            self._slots.leave(slot)
        if is_refused:
            await bodies.linger(scope, receive)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, as Django does, without its hops into a thread around the view."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        set_script_prefix(get_script_prefix(scope))
        await signals.request_started.asend(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        if request is None:
            await self.send_response(refusal, send)
            refusal.close()
        else:
            serving = self._serve(request, send)
            del request
            await self._until_gone(serving, receive)
        body.close()

    async def _serve(self, request: Any, send: Any) -> None:
        response = await self.run_get_response(request)
        if _is_live(response):
            response._resource_closers.remove(request.close)  # type: ignore[attr-defined]
            request.close()
        del request  # an open stream needs nothing of it
        try:
            await self.send_response(response, send)
        finally:
            response.close()

    async def send_response(self, response: Any, send: Any) -> None:
        """Send it as Django does; a stream, which may be open for an hour, without its headers."""
        if not _is_live(response):
            await super().send_response(response, send)
            return
        headers = [
            (name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()
        ]
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": headers}
        )
        headers.clear()  # gunicorn keeps the list, for a line of log that is not written
        response.headers = ResponseHeaders({})
        async with contextlib.aclosing(response.streaming_content) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def _until_gone(self, serve: Any, receive: Any) -> None:
        """Serve until it is done, or cancel it when the client is gone.

        By a time-out without a time, which knows its own cancellation from the server's.
        """
        limit = asyncio.timeout(None)
        gone = asyncio.create_task(self._expire(limit, receive))
        try:
            async with limit:
                await serve
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            gone.cancel()

    async def _expire(self, limit: asyncio.Timeout, receive: Any) -> None:
        with contextlib.suppress(RequestAborted):
            await self.listen_for_disconnect(receive)
        limit.reschedule(0)

    async def read_body(self, receive: Any) -> bodies.Body:
        """The body, or as much of it as shows that it is too large, or late."""
        body = bodies.Body()
        await body.read_from(receive)
        return body

    def create_request(self, scope: Any, body_file: Any) -> Any:
        """The request; its length is what came, whatever was declared, and never none if refused.

        That it is refused is said where the body is looked at (parsers.py): a request without a
        token gets the same 401 as any other.
        """
        length = body_file.tell()
        body_file.seek(0)
        request, refusal = super().create_request(scope, body_file)
        if request is not None:
            if bodies.is_too_large(scope):
                body_file.refused = errors.PayloadTooLarge()
            if body_file.refused:
                length = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
            request.refused = body_file.refused  # type: ignore[attr-defined]
            request.META["CONTENT_LENGTH"] = str(length)
        return request, refusal

    async def listen_for_disconnect(self, receive: Any) -> None:
        """Raise RequestAborted when the client is gone; what is left of a long body is dropped."""
        while (await receive())["type"] != "http.disconnect":
            pass
        raise RequestAborted


def _is_live(response: Any) -> bool:
    """Whether it is a stream that this process makes as it sends; whoever has cookies is a page."""
    return bool(response.streaming and response.is_async and not response.cookies)


leave_connections_to_threads()
application = Handler()
get_resolver().url_patterns  # noqa: B018  (imports the views now, not in the first request)
