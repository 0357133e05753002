"""The OpenAPI document's generator; settings name it, and it is imported when first asked for."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator

from chat_app import schema as chat_schema
from sessions_app import schema as sessions_schema  # noqa: F401  (describes its views)


class Generator(SchemaGenerator):
    """drf-spectacular's own; that it lives here is what has the views described."""

    def get_schema(self, *args: Any, **options: Any) -> Any:
        """The document, with what leads from one call to the next: drf-spectacular knows no links.

        What the links name is at hand in both of a question's answers.
        """
        found = super().get_schema(*args, **options)  # type: ignore[no-untyped-call]
        for status in ("200", "202"):
            found["paths"]["/chat"]["post"]["responses"][status]["links"] = chat_schema.LINKS
        return found
