"""`python -m tests.admin.fill PASSWORD`: staff of each role, and hostile texts as messages.

Prints the id of the conversation that holds the texts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django

# A few of each kind, for where the corpora are not there.
_HOSTILE = (
    "<script>window.__ran=1</script>",
    "<img src=x onerror=window.__ran=1>",
    "<svg/onload=window.__ran=1>",
    '"><iframe srcdoc="<script>parent.__ran=1</script>">',
    "[click](javascript:window.__ran=1) ![x](https://evil.example/x.png)",
    "</textarea></title></style><script>window.__ran=1</script>",
    "{{7*7}} {% include 'x' %} ${7*7} <%= 7 %>",
    "<a href='data:text/html,<script>1</script>'>x</a> <base href=//evil.example>",
    "\u202eevil\u202c \u0000 ﷽ \u2028 <style>*{display:none}</style><meta http-equiv=refresh>",
    "<form action=//evil.example><button formaction=//evil.example>x",
)


def texts(most: int) -> list[str]:
    """Hostile and innocent texts, spread over the corpora where they are there."""
    found = [text.replace("\0", "") for text in _HOSTILE]
    for name in ("sink_cases", "attacks", "benign"):
        path = Path(__file__).resolve().parents[3] / "shared" / "corpora" / f"{name}.jsonl"
        override = os.environ.get("CORPORA")
        path = Path(override) / f"{name}.jsonl" if override else path
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            step = max(1, len(lines) * 3 // most)
            found += [
                str(json.loads(line).get("text", "")).replace("\0", "") for line in lines[::step]
            ]
    return [text for text in found if text.strip()]


def main(password: str) -> None:
    """Write the rows."""
    from django.contrib.auth.models import Group, User

    for group in Group.objects.all():
        user = User.objects.create_user(group.name.lower(), password=password, is_staff=True)
        user.groups.add(group)
    print(_hostile_conversations())


def _hostile_conversations() -> str:
    from chat_app.models import ChatMessage, MessageType
    from sessions_app.models import SessionContact
    from sessions_app.services import open_session

    found = texts(int(os.environ.get("CORPUS_TEXTS", "240")))
    first = ""
    for begin in range(0, len(found), 120):
        session = open_session(email="eve@example.com", address="192.0.2.66", user_agent="<b>x</b>")
        hostile = "<script>window.__ran=1</script>@example.com"
        SessionContact.objects.filter(pk=session.pk).update(email=hostile)
        part = found[begin : begin + 120]
        ChatMessage.objects.bulk_create(
            ChatMessage(
                session=session,
                seq=number + 2,
                message_type=(MessageType.USER, MessageType.STAFF)[number % 2],
                content=text,
                author=text[:60] if number % 2 else "",
                labels=[{"name": text[:40], "rule": "<b>rule</b>"}] if number % 7 == 0 else [],
            )
            for number, text in enumerate(part)
        )
        type(session).objects.filter(pk=session.pk).update(last_seq=len(part) + 2)
        first = first or session.pk
    return first


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    django.setup(set_prefix=False)
    main(sys.argv[1])
