"""Canned replies of the staff."""

from __future__ import annotations

import re

from django.db import transaction

from chat_app.models import Snippet
from chatsite.core.errors import InvalidInput, NotFound
from sessions_app import audit
from sessions_app.audit import Actor
from sessions_app.models import Act

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MOST_SUGGESTED = 25  # what Discord takes


def get(*, name: str) -> Snippet:
    """The snippet; raises NotFound."""
    found = Snippet.objects.filter(name=name.strip().lower()).first()
    if found is None:
        raise NotFound(f"There is no snippet {name[:32]!r}.")
    return found


@transaction.atomic
def store(*, name: str, text: str, actor: Actor) -> bool:
    """Add a snippet, or replace its text; True where it is new. Raises InvalidInput."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise InvalidInput("A name has 1 to 32 of a-z, 0-9, - and _.")
    if not text.strip():
        raise InvalidInput("A snippet needs a text.")
    _, is_new = Snippet.objects.update_or_create(
        name=name, defaults={"text": text, "updated_by": actor.name[:100]}
    )
    audit.record(actor=actor, act=Act.SNIPPET, session_id=None, detail=f"stored {name}")
    return is_new


@transaction.atomic
def remove(*, name: str, actor: Actor) -> None:
    """Remove a snippet; raises NotFound."""
    get(name=name).delete()
    audit.record(actor=actor, act=Act.SNIPPET, session_id=None, detail=f"removed {name}")


def suggest(*, begun: str) -> list[str]:
    """Names that begin so, or hold it, as many as can be shown."""
    names = Snippet.objects.filter(name__contains=begun.strip().lower())
    return list(names.values_list("name", flat=True)[:_MOST_SUGGESTED])


def every() -> list[Snippet]:
    """All, by name."""
    return list(Snippet.objects.all())
