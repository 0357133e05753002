"""DRF's viewsets and serializers, which are gone when their request is answered.

A view and its request refer to each other, and a serializer and its fields: each request leaves a
hundred objects that only a look for garbage finds. Python looks seldom (runtime.py), and a visitor
who waits for half a minute would hold them all."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import viewsets
from rest_framework.serializers import Serializer


class ViewSet(viewsets.ViewSet):
    """DRF's, which forgets its request with the answer."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request; after this the view is of no use."""
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            request.__dict__.pop("auth", None)  # DRF leaves the session's row there, too
            self.request.parser_context = {}
            self.__dict__.clear()


def validated(kind: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """What the serializer makes of the data; raises DRF's ValidationError."""
    given = kind(data=data)
    try:
        given.is_valid(raise_exception=True)
        found: dict[str, Any] = given.validated_data
        return found
    finally:
        given.__dict__.pop("fields", None)
