"""Who of the staff acts, and the record of it."""

from __future__ import annotations

from dataclasses import dataclass

from sessions_app.models import Act, AuditEntry

# A status event refers to the entry that tells who changed what.
_PREFIX = "audit:"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person of the staff, as the place they act from (`discord`, `admin`) knows them."""

    source: str
    id: str
    name: str


VISITOR = Actor("visitor", "", "the visitor")


def record(*, actor: Actor, act: Act, session_id: str | None, detail: str = "") -> AuditEntry:
    """Store who did what; in the transaction of what was done."""
    return AuditEntry.objects.create(
        source=actor.source[:16],
        actor_id=actor.id[:64],
        actor_name=actor.name[:100],
        act=act,
        session_id=session_id,
        detail=detail[:300],
    )


def reference(entry: AuditEntry) -> str:
    """How an event refers to the entry."""
    return f"{_PREFIX}{entry.pk}"


def find(reference: str) -> AuditEntry | None:
    """The entry that an event refers to, if it does."""
    number = reference.removeprefix(_PREFIX)
    if number == reference or not number.isdigit():
        return None
    return AuditEntry.objects.filter(pk=int(number)).first()
