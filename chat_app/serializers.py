"""The shapes of `/chat`: what comes in, and what goes out, for the schema."""

from __future__ import annotations

import re
from typing import Any, Final

from django.conf import settings
from rest_framework import serializers

from chat_app.models import AnswerStatus
from chatsite.core.parsers import StrictSerializer, TextField

# Anything but controls, format characters (zero-width among them), separators (Unicode 15: Cc, Cf,
# Zs, Zl, Zp), fillers and selectors: a message without any of it says nothing. Both Python and
# JSON Schema read it.
VISIBLE: Final = (
    r"[^\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    r"\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u2064"
    r"\u2066-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_visible = re.compile(VISIBLE)
POST_STATUSES = [*AnswerStatus.values, "with_staff"]
LARGEST_CURSOR: Final = 2**53 - 1  # what JavaScript can hold


class MessageField(TextField):
    """What a visitor typed."""


class MessageIn(StrictSerializer):
    """A question."""

    message = MessageField(help_text="Plain text; kept as it is.", min_length=1)

    def validate_message(self, value: str) -> str:
        """Refuse what is too long or says nothing."""
        if len(value) > settings.MAX_MESSAGE_LENGTH:
            raise serializers.ValidationError(
                f"A message has at most {settings.MAX_MESSAGE_LENGTH} characters.",
                code="max_length",
            )
        if not _visible.search(value):
            raise serializers.ValidationError("This field may not be blank.", code="blank")
        return value


class KeyIn(serializers.Serializer[Any]):
    """The header that makes a post safe to repeat."""

    idempotency_key = serializers.RegexField(
        r"^[\x21-\x7e]+$", max_length=255, required=False, allow_null=True
    )


class CursorField(serializers.IntegerField):
    """A place in a session, as an earlier answer gave it."""

    def __init__(self, **options: Any) -> None:
        bounds = {"min_value": 0, "max_value": LARGEST_CURSOR}
        super().__init__(**{**bounds, "required": False, **options})

    def to_internal_value(self, data: Any) -> int:
        """The number; raises ValidationError for what only looks like one (`1e3`, `٣`)."""
        if not (isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < 17):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class HistoryIn(StrictSerializer):
    """Which page of the history."""

    limit = CursorField(default=50, min_value=1, help_text="1 to 200; more is taken as 200.")
    before = CursorField(help_text="Only what came before; from an earlier answer.")
    after = CursorField(help_text="Only what came after; from an earlier answer.")

    def validate_limit(self, value: int) -> int:
        """At most 200."""
        return min(value, 200)


class EventsIn(StrictSerializer):
    """Where to resume."""

    after = CursorField(help_text="The `id:` of the last event seen.")


class AnswerOut(serializers.Serializer[Any]):
    """An answered question."""

    success = serializers.BooleanField()
    response = serializers.CharField(help_text="Plain text, perhaps Markdown; never HTML.")
    response_html = serializers.CharField(help_text="Safe to insert into a page.")
    message_id = serializers.CharField()
    answer_id = serializers.CharField()
    status = serializers.ChoiceField(AnswerStatus.choices)
    safety = serializers.BooleanField(help_text="The message was taken for an attack.")
    degraded = serializers.BooleanField(help_text="No model could answer; this is a stand-in text.")


class AcceptedOut(serializers.Serializer[Any]):
    """A question that is kept and will be answered."""

    success = serializers.BooleanField()
    message_id = serializers.CharField()
    answer_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(POST_STATUSES)


class MessageOut(serializers.Serializer[Any]):
    """One message."""

    id = serializers.CharField()
    message_type = serializers.ChoiceField(["user", "assistant", "staff", "system"])
    text = serializers.CharField(allow_blank=True)
    html = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(AnswerStatus.choices)
    reply_to = serializers.CharField(allow_null=True)
    answer_id = serializers.CharField(allow_null=True)
    author = serializers.CharField(allow_blank=True, help_text="Of what staff said: who said it.")
    safety = serializers.BooleanField()
    degraded = serializers.BooleanField()
    timestamp = serializers.DateTimeField()


class PairOut(serializers.Serializer[Any]):
    """One entry of the history."""

    id = serializers.CharField()
    message = serializers.CharField(allow_blank=True)
    response = serializers.CharField(allow_blank=True)
    response_html = serializers.CharField(allow_blank=True)
    author = serializers.CharField(allow_blank=True, help_text="Who of the staff answered.")
    answered_by = serializers.ChoiceField(["ai", "staff"], allow_null=True)
    answer_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(POST_STATUSES)
    safety = serializers.BooleanField(help_text="The message was taken for an attack.")
    degraded = serializers.BooleanField(help_text="No model could answer; this is a stand-in text.")
    idempotency_key = serializers.CharField(
        allow_null=True, help_text="What the message was posted with: matches it to its sender's."
    )
    timestamp = serializers.DateTimeField()
    browser_hash = serializers.CharField()
    ip_address = serializers.CharField()


class HistoryOut(serializers.Serializer[Any]):
    """A page of the history, oldest first."""

    messages = PairOut(many=True)
    has_more = serializers.BooleanField()
    before = serializers.CharField(allow_null=True, help_text="For the page before this one.")
    after = serializers.CharField(allow_null=True, help_text="For the page after this one.")


class EventOut(serializers.Serializer[Any]):
    """One event of the session."""

    id = serializers.IntegerField()
    event = serializers.ChoiceField(["message", "answer", "status", "edited", "deleted"])
    data = serializers.DictField()  # type: ignore[assignment]


class EventsOut(serializers.Serializer[Any]):
    """The next events, for clients that cannot read a stream."""

    events = EventOut(many=True)
    last = serializers.IntegerField(help_text="Resume after this.")
