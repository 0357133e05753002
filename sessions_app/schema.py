"""What the OpenAPI document says of visitors' tokens and of bodies that take no other field."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension


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
