"""Reading what a delivery needs: its event, the words it refers to, the conversation as it is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from chat_app.models import ChatMessage, MessageType
from notifications import embeds
from notifications.embeds import Card, Said
from notifications.models import Delivery, Receipt
from sessions_app import audit, identity
from sessions_app.models import (
    Act,
    AuditEntry,
    ChatSession,
    EventKind,
    Responder,
    SessionContact,
    SessionEvent,
)

# The events whose deliveries made messages of a text.
OF_WORDS: Final = (EventKind.MESSAGE, EventKind.EDITED)
_NOTES = {
    Act.TAKE_OVER: "🧑 {who} took over; the AI is silent.",
    Act.HAND_BACK: "🤖 {who} handed back to the AI.",
    Act.CLOSE: "🔒 Closed by {who} after {count} messages.",
    Act.REOPEN: "🔓 Opened again by {who}.",
    Act.BLOCK: "⛔ Blocked by {who}, {detail}",
    Act.UNBLOCK: "✅ {who} lifted the block.",
}
_ENDS = {"visitor": "🔒 Ended by the visitor.", "expiry": "⌛ The session's time is over."}


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery with all that sending it takes; no query is needed after this."""

    delivery: Delivery
    kind: EventKind
    # Where it is shown: with the opening, and with every change of the state.
    card: Card | None
    thread_id: str
    card_id: str
    said: Said | None = None
    note: str = ""
    # The messages in Discord that an edit or a deletion is about.
    earlier_ids: tuple[str, ...] = ()
    # The moderator's own message in the thread, where the words were taken from it.
    source_id: str = ""

    @property
    def seq(self) -> int:
        """The event's number in its conversation."""
        return int(self.delivery.event.seq)

    @property
    def session_id(self) -> str:
        """The conversation."""
        return str(self.delivery.event.session_id)


def load(delivery: Delivery) -> Job:
    """Everything about the delivery's event."""
    event, session = delivery.event, delivery.event.session
    thread = getattr(session, "discord_thread", None)
    thread_id = thread.thread_id if thread else ""
    is_status = event.kind == EventKind.STATUS
    shows_card = is_status or event.kind == EventKind.OPENED
    row = None if shows_card else ChatMessage.objects.filter(pk=event.reference).first()
    return Job(
        delivery,
        EventKind(event.kind),
        card(session) if shows_card else None,
        thread_id,
        thread.message_id if thread else "",
        said=_said(event, row),
        note=_note(event, session) if is_status else "",
        earlier_ids=_earlier(event),
        source_id=_source(row, thread_id),
    )


def shown(said: ChatMessage) -> tuple[str, ...]:
    """The messages in Discord that its text stands in; those that an edit left over show none."""
    return _made_for(said.session_id, said.pk)[: embeds.parts(said.content)]


def card(session: ChatSession) -> Card:
    """The conversation as its card shows it."""
    shows = settings.DISCORD_SHOW_PERSONAL_DATA
    contact = SessionContact.objects.filter(pk=session.pk).values_list("email", flat=True).first()
    has_person = session.responder == Responder.HUMAN
    others = ChatSession.objects.filter(email_hash=session.email_hash)
    return Card(
        session_id=session.pk,
        created_at=session.created_at,
        email=(contact if shows else identity.mask(contact)) if contact else "",
        address=session.ip_address if shows else "",
        shows_personal_data=shows,
        is_verified=session.email_verified_at is not None,
        earlier=others.filter(created_at__lt=session.created_at).count(),
        has_person=has_person,
        holder=_holder(session) if has_person else "",
        is_active=session.is_active,
        closed_by=session.closed_by,
        admin_url=admin_url(session.pk),
    )


def admin_url(session_id: str) -> str:
    """The conversation's page in the admin, where SITE_URL and the page are there."""
    try:
        path = reverse("admin:sessions_app_chatsession_change", args=[session_id])
    except NoReverseMatch:
        return ""
    return f"{settings.SITE_URL.rstrip('/')}{path}" if settings.SITE_URL else ""


def _holder(session: ChatSession) -> str:
    taken = AuditEntry.objects.filter(session=session, act=Act.TAKE_OVER).order_by("-pk").first()
    return taken.actor_name if taken else "staff"


def _said(event: SessionEvent, row: ChatMessage | None) -> Said | None:
    if row is None or (event.kind == EventKind.ANSWER and not row.content):
        return None
    remarks = []
    if row.labels:
        remarks.append(("Screening", ", ".join(label["name"] for label in row.labels)))
    if row.degraded or row.status in {"stopped", "failed"}:
        remarks.append(("Answer", row.error or row.status))
    return Said(
        seq=_seq_shown(event),
        message_id=row.pk,
        kind=row.message_type,
        text=row.content,
        when=row.finished_at or row.timestamp,
        author=row.author,
        remarks=tuple(remarks),
        is_edited=row.edited_at is not None,
        is_deleted=row.deleted_at is not None,
    )


def _seq_shown(event: SessionEvent) -> int:
    """The number of the event by which the message came: an edit changes that one's embeds."""
    if event.kind not in {EventKind.EDITED, EventKind.DELETED}:
        return event.seq
    said = SessionEvent.objects.filter(
        session_id=event.session_id, kind=EventKind.MESSAGE, reference=event.reference
    )
    return said.values_list("seq", flat=True).first() or event.seq


def _earlier(event: SessionEvent) -> tuple[str, ...]:
    if event.kind not in {EventKind.EDITED, EventKind.DELETED}:
        return ()
    return _made_for(event.session_id, event.reference, before=event.seq)


def _made_for(session_id: str, message_id: str, *, before: int | None = None) -> tuple[str, ...]:
    # Corrections may have added messages: a later one is about those, too.
    sent = Delivery.objects.filter(
        event__session=session_id, event__kind__in=OF_WORDS, event__reference=message_id
    )
    if before is not None:
        sent = sent.filter(event__seq__lt=before)
    ids = sent.order_by("event__seq").values_list("message_ids", flat=True)
    return tuple(itertools.chain.from_iterable(ids))


def _source(row: ChatMessage | None, thread_id: str) -> str:
    if row is None or row.message_type != MessageType.STAFF or not thread_id:
        return ""
    taken = Receipt.objects.filter(
        message_id=row.pk, thread_id=thread_id, pk__startswith="m:"
    ).first()
    return taken.pk.removeprefix("m:") if taken else ""


def _note(event: SessionEvent, session: ChatSession) -> str:
    if not settings.DISCORD_NOTIFY_MESSAGES:
        return ""
    entry = audit.find(event.reference)
    if entry is None:
        return _ENDS.get(session.closed_by, "") if not session.is_active else ""
    text = _NOTES.get(Act(entry.act), "")
    return text.format(who=entry.actor_name, detail=entry.detail, count=session.message_count)
