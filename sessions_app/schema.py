"""How the OpenAPI document describes `/auth`; imported only to make the document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema

from sessions_app.serializers import EmailIn, ProblemOut, SessionOut, TokenOut
from sessions_app.views import AuthViewSet


class VisitorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer tokens, as POST /auth/email gives them."""

    target_class = "sessions_app.authentication.VisitorAuthentication"
    name = "visitor"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


_DESCRIBED = {
    "create": extend_schema(
        operation_id="sign_in",
        request=EmailIn,
        responses={
            200: TokenOut,
            400: ProblemOut,
            403: ProblemOut,
            429: ProblemOut,
            503: ProblemOut,
        },
        auth=[],
    ),
    "retrieve": extend_schema(
        operation_id="get_session", responses={200: SessionOut, 401: ProblemOut}
    ),
    "destroy": extend_schema(operation_id="end_session", responses={204: None, 401: ProblemOut}),
}
for _action, _describe in _DESCRIBED.items():
    _describe(getattr(AuthViewSet, _action))  # in place
