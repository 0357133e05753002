"""How the OpenAPI document describes `/chat`; imported only to make the document."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from chat_app.serializers import (
    AcceptedOut,
    AnswerOut,
    EventsIn,
    EventsOut,
    HistoryIn,
    HistoryOut,
    MessageIn,
    MessageOut,
)
from chat_app.views import STREAM, ChatViewSet
from sessions_app.serializers import ProblemOut

_MESSAGE_ID = OpenApiParameter("message_id", str, OpenApiParameter.PATH)
_ANSWER_ID = OpenApiParameter("answer_id", str, OpenApiParameter.PATH)
_REFUSALS = {400: ProblemOut, 401: ProblemOut}

_DESCRIBED = {
    "create": extend_schema(
        operation_id="ask",
        request=MessageIn,
        parameters=[
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER),
            OpenApiParameter(
                "Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: do not wait."
            ),
        ],
        responses={
            (200, "application/json"): AnswerOut,
            (200, STREAM): OpenApiTypes.STR,
            202: AcceptedOut,
            **_REFUSALS,
            403: ProblemOut,
            413: ProblemOut,
            415: ProblemOut,
            422: ProblemOut,
            429: ProblemOut,
            503: ProblemOut,
        },
    ),
    "message": extend_schema(
        operation_id="get_message",
        parameters=[_MESSAGE_ID],
        responses={200: MessageOut, 401: ProblemOut, 404: ProblemOut},
    ),
    "stop": extend_schema(
        operation_id="stop_answer",
        parameters=[_ANSWER_ID],
        request=None,
        responses={200: MessageOut, 401: ProblemOut, 404: ProblemOut},
    ),
    "history": extend_schema(
        operation_id="get_history",
        parameters=[HistoryIn],
        responses={200: HistoryOut, **_REFUSALS},
    ),
    "events": extend_schema(
        operation_id="follow_events",
        parameters=[EventsIn, OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER)],
        responses={
            (200, "application/json"): EventsOut,
            (200, STREAM): OpenApiTypes.STR,
            **_REFUSALS,
            429: ProblemOut,
        },
    ),
}
for _action, _describe in _DESCRIBED.items():
    _describe(getattr(ChatViewSet, _action))  # in place
