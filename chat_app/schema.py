"""How the OpenAPI document describes `/chat`; imported only to make the document."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field

from chat_app.serializers import (
    LARGEST_CURSOR,
    VISIBLE,
    AcceptedOut,
    AnswerOut,
    EventsIn,
    EventsOut,
    HistoryIn,
    HistoryOut,
    MessageField,
    MessageIn,
    MessageOut,
)
from chat_app.views import STREAM, ChatViewSet
from sessions_app.schema import problems

_MESSAGE_ID = OpenApiParameter("message_id", str, OpenApiParameter.PATH)
_ANSWER_ID = OpenApiParameter("answer_id", str, OpenApiParameter.PATH)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]+$", "maxLength": 255},
    OpenApiParameter.HEADER,
)
_PREFER = OpenApiParameter(
    "Prefer", str, OpenApiParameter.HEADER, description="`respond-async`: do not wait."
)
_LAST_ID = OpenApiParameter(
    "Last-Event-ID",
    {"type": "integer", "minimum": 0, "maximum": LARGEST_CURSOR},
    OpenApiParameter.HEADER,
)

# What an answered question names can be looked at and stopped.
LINKS: Final[dict[str, dict[str, Any]]] = {
    "message": {
        "operationId": "get_message",
        "parameters": {"message_id": "$response.body#/message_id"},
    },
    "answer": {
        "operationId": "get_message",
        "parameters": {"message_id": "$response.body#/answer_id"},
    },
    "stop": {
        "operationId": "stop_answer",
        "parameters": {"answer_id": "$response.body#/answer_id"},
    },
}

extend_schema_field(
    {
        "type": "string",
        "minLength": 1,
        "maxLength": settings.MAX_MESSAGE_LENGTH,
        "pattern": rf"^[^\u0000]*{VISIBLE}[^\u0000]*$",
    }
)(MessageField)

_DESCRIBED = {
    "create": extend_schema(
        operation_id="ask",
        request=MessageIn,
        parameters=[_KEY, _PREFER],
        responses={
            (200, "application/json"): AnswerOut,
            (200, STREAM): OpenApiTypes.STR,
            202: AcceptedOut,
            **problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
        },
    ),
    "message": extend_schema(
        operation_id="get_message",
        parameters=[_MESSAGE_ID],
        responses={200: MessageOut, **problems(401, 404)},
    ),
    "stop": extend_schema(
        operation_id="stop_answer",
        parameters=[_ANSWER_ID],
        request=None,
        responses={200: MessageOut, **problems(401, 404)},
    ),
    "history": extend_schema(
        operation_id="get_history",
        parameters=[HistoryIn],
        responses={200: HistoryOut, **problems(400, 401)},
    ),
    "events": extend_schema(
        operation_id="follow_events",
        parameters=[EventsIn, _LAST_ID],
        responses={
            (200, "application/json"): EventsOut,
            (200, STREAM): OpenApiTypes.STR,
            **problems(400, 401, 429),
        },
    ),
}
for _action, _describe in _DESCRIBED.items():
    _describe(getattr(ChatViewSet, _action))  # in place
