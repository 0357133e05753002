"""The OpenAPI document's generator; settings name it, and it is imported when first asked for."""

from drf_spectacular.generators import SchemaGenerator

from chat_app import schema as chat_schema  # noqa: F401  (describes its views)
from sessions_app import schema as sessions_schema  # noqa: F401  (describes its views)


class Generator(SchemaGenerator):
    """drf-spectacular's own; that it lives here is what has the views described."""
