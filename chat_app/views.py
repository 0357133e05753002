"""`/chat`: a viewset that asks, stops, and reads back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from chat_app import presenters, selectors, services, waiting
from chat_app.serializers import (
    EventsIn,
    HistoryIn,
    KeyIn,
    MessageIn,
)
from chat_app.services import Posted
from chatsite.core import client, ratelimit
from chatsite.core.ratelimit import Limit
from chatsite.core.viewsets import ViewSet, validated
from sessions_app import watching
from sessions_app.authentication import visitor
from sessions_app.models import ChatSession
from sessions_app.views import refuse_bots

STREAM = "text/event-stream"


class ChatViewSet(ViewSet):
    """A visitor's conversation."""

    # Asking brings a visitor back whose conversation staff closed as settled.
    reopens_settled = False

    def create(self, request: Request) -> Any:
        """Ask. Waits for the answer, streams it, or, with `Prefer: respond-async`, neither."""
        refuse_bots(request)
        posted = _post(request, validated(MessageIn, request.data)["message"])
        headers = {"Idempotency-Replayed": "true"} if posted.replayed else {}
        if _wants_stream(request):
            return waiting.Continued(waiting.answer_stream(posted, headers=headers))
        if posted.answer is None or "respond-async" in request.headers.get("Prefer", ""):
            return waiting.accepted(posted, headers=headers)
        if posted.answer.is_finished:
            return waiting.finished(posted.answer, headers=headers)
        return waiting.Continued(waiting.answer(posted.answer, headers=headers))

    def message(self, request: Request, message_id: str) -> Response:
        """One message, a question's or an answer's, as it is now."""
        found = selectors.get_message(session=visitor(request), message_id=message_id)
        return Response(presenters.message(found))

    def stop(self, request: Request, answer_id: str) -> waiting.Continued:
        """Stop the model; the text so far is kept. Stopping a finished answer changes nothing."""
        row = services.request_stop(session=visitor(request), answer_id=answer_id)
        return waiting.Continued(waiting.stopped(row))

    def history(self, request: Request) -> Response:
        """Questions with their answers, oldest first."""
        asked = validated(HistoryIn, request.query_params.dict())
        rows, has_more = selectors.history(session=visitor(request), **asked)
        return Response(
            {
                "messages": [presenters.pair(row, visitor(request)) for row in rows],
                "has_more": has_more,
                "before": str(rows[0].seq) if rows else None,
                "after": str(rows[-1].seq) if rows else None,
            }
        )

    def events(self, request: Request) -> waiting.Continued:
        """Everything of this session, live and resumable; a long poll where SSE is not accepted."""
        after = _after(request.query_params.dict())
        # Where a browser's own stream broke off.
        if (last := request.headers.get("Last-Event-ID")) is not None:
            after = _after({"after": last})
        follow = waiting.session_stream if _wants_stream(request) else waiting.long_poll
        return waiting.Continued(follow(visitor(request).id, after=after))


def _post(request: Request, text: str) -> Posted:
    session = visitor(request)
    key = _key(request)
    replay = key and services.find_replay(session=session, text=text, client_key=key)
    if replay:
        return replay
    _count(request, session, text)
    return services.post_message(
        session=session,
        text=text,
        client_key=key,
        request_id=request._request.request_id,  # type: ignore[attr-defined]
        is_streamed=_wants_stream(request),
    )


def _key(request: Request) -> str | None:
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    return str(validated(KeyIn, {"idempotency_key": given})["idempotency_key"])


def _after(given: dict[str, Any]) -> int:
    return int(validated(EventsIn, given).get("after", 0))


def _wants_stream(request: Request) -> bool:
    return STREAM in request.headers.get("Accept", "")


def _count(request: Request, session: ChatSession, text: str) -> None:
    """One session's messages, those of a proven e-mail address, and those of an IP address.

    What passes these is judged: a session that behaves like a program has less, or waits.
    """
    address = client.address(request._request)
    limits = [Limit("chat", session.id, settings.CHAT_RATE_LIMIT)]
    if session.email_verified_at:
        limits.append(Limit("chat-email", session.email_hash, settings.CHAT_EMAIL_RATE_LIMIT))
    limits.append(Limit("chat-address", client.network(address), settings.CHAT_ADDRESS_RATE_LIMIT))
    ratelimit.enforce(request._request, *limits)
    if watching.notice(session=session, address=address, text=text):
        ratelimit.enforce(request._request, Limit("chat-slow", session.id, settings.BOT_RATE_LIMIT))
