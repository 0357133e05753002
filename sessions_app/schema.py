"""How the OpenAPI document describes visitors' tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class VisitorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer tokens, as POST /auth/email gives them."""

    target_class = "sessions_app.authentication.VisitorAuthentication"
    name = "visitor"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
