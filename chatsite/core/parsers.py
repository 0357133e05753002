"""JSON in, strictly: what two readers could understand differently is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import IO, Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from chatsite.core.errors import InvalidInput, PayloadTooLarge


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without duplicate keys, NaN, lone surrogates or numbers nobody can hold."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The decoded body; raises InvalidInput for anything else, PayloadTooLarge for too much."""
        refused = getattr((parser_context or {})["request"]._request, "refused", None)
        if refused:
            raise refused
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise PayloadTooLarge
        try:
            found = json.loads(
                body.decode("utf-8"),
                object_pairs_hook=_unique,
                parse_constant=_refuse,
                parse_float=_finite,
            )
            json.dumps(found, ensure_ascii=False).encode("utf-8")  # lone surrogates fail here
        except (ValueError, RecursionError) as error:
            raise InvalidInput("The body is not valid JSON in UTF-8.") from error
        return found


class JSONOnly(BaseContentNegotiation):
    """Answers are JSON whatever is accepted or asked for in the query; bodies must be JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The JSON parser; raises UnsupportedMediaType for another type or charset."""
        kind, _, parameters = (request.content_type or "").partition(";")
        charset = parameters.strip().lower().replace('"', "")
        if kind.strip().lower() == "application/json" and charset in {"", "charset=utf-8"}:
            return next(iter(parsers))
        raise UnsupportedMediaType(kind)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The JSON renderer."""
        return next(iter(renderers)), "application/json"


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know, naming them."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated data; raises ValidationError naming each unknown field."""
        if isinstance(data, Mapping):
            unknown = [str(name)[:100] for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {name: ["This field is not known."] for name in unknown[:20]}, code="unknown"
                )
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """Text that came as text: a number or a boolean is refused, nothing is trimmed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        """The text itself; raises ValidationError for another type."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _finite(number: str) -> float:
    found = float(number)
    if not isfinite(found):  # 1e999, which JSON itself allows
        raise ValueError(number)
    return found


def _refuse(constant: str) -> None:
    raise ValueError(constant)
