"""The shapes of `/auth`: what comes in, what goes out."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers

from chatsite.core.parsers import StrictSerializer, TextField
from sessions_app import identity


class EmailField(TextField):
    """An address as it was typed."""


class EmailIn(StrictSerializer):
    """The address a visitor signs in with."""

    email = EmailField(max_length=identity.MAX_EMAIL_LENGTH, help_text="The visitor's address.")

    def validate_email(self, value: str) -> str:
        """Refuse what is no address."""
        try:
            identity.normalise_email(value.strip())
        except ValueError as error:
            raise serializers.ValidationError("This is not an e-mail address.") from error
        return value.strip()


class CodeField(TextField):
    """A one-time code: six digits, as people may type them, with spaces or dashes."""

    def to_internal_value(self, data: Any) -> str:
        """The six digits; raises ValidationError."""
        found = re.sub(r"[\s-]", "", super().to_internal_value(data))
        if not re.fullmatch("[0-9]{6}", found):
            raise serializers.ValidationError("This code is not right, or too old.")
        return found


class CodeIn(EmailIn):
    """The address, and the code that was sent to it."""

    code = CodeField(max_length=20, help_text="Six digits.")


class CodeSentOut(serializers.Serializer[Any]):
    """That a code is on its way, whatever the address."""

    status = serializers.ChoiceField(["code_sent"])


class TokenOut(serializers.Serializer[Any]):
    """A session and the token that opens it."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    session_id = serializers.CharField()
    expires_at = serializers.DateTimeField()
    verified = serializers.BooleanField(help_text="Whether the address was proven.")
    messages_remaining = serializers.IntegerField()


class SessionOut(serializers.Serializer[Any]):
    """What a session is."""

    session_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    verified = serializers.BooleanField()
    responder = serializers.ChoiceField(["ai", "human"])
    is_active = serializers.BooleanField()
    messages_remaining = serializers.IntegerField()


class ProblemOut(serializers.Serializer[Any]):
    """An error, as RFC 9457 has it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; see docs/api.md.")
    request_id = serializers.CharField()
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.DictField(child=serializers.CharField()), required=False
    )
