"""How the OpenAPI document describes `/auth`, tokens and problems; imported only to make it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema, extend_schema_field

from chatsite.core.errors import CONTENT_TYPE
from sessions_app import identity
from sessions_app.serializers import (
    CodeIn,
    CodeSentOut,
    EmailField,
    EmailIn,
    ProblemOut,
    SessionOut,
    TokenOut,
)
from sessions_app.views import AuthViewSet


class VisitorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer tokens, as POST /auth/email gives them."""

    target_class = "sessions_app.authentication.VisitorAuthentication"
    name = "visitor"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Bodies in which a field that is not known is an error."""

    target_class = "chatsite.core.parsers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """The fields, and nothing beside them."""
        found = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**found, "additionalProperties": False}


def problems(*statuses: int) -> dict[tuple[int, str], type[ProblemOut]]:
    """These statuses as the schema documents them: problems, not plain JSON."""
    return {(status, CONTENT_TYPE): ProblemOut for status in statuses}


extend_schema_field({"type": "string", "format": "email", "maxLength": identity.MAX_EMAIL_LENGTH})(
    EmailField
)

_DESCRIBED = {
    "create": extend_schema(
        operation_id="sign_in",
        request=EmailIn,
        responses={
            200: TokenOut,
            202: CodeSentOut,
            **problems(400, 403, 408, 413, 415, 429, 503),
        },
        auth=[],
    ),
    "verify": extend_schema(
        operation_id="verify",
        request=CodeIn,
        responses={200: TokenOut, **problems(400, 403, 404, 408, 413, 415, 429, 503)},
        auth=[],
    ),
    "retrieve": extend_schema(
        operation_id="get_session", responses={200: SessionOut, **problems(401)}
    ),
    "destroy": extend_schema(operation_id="end_session", responses={204: None, **problems(401)}),
}
for _action, _describe in _DESCRIBED.items():
    _describe(getattr(AuthViewSet, _action))  # in place
