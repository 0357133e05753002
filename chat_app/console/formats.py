"""What an exported conversation looks like: JSON lines, CSV without formulas, readable HTML."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from chat_app.console import transcript
from chat_app.models import ChatMessage
from chat_app.presenters import moment
from sessions_app.models import ChatSession

# A spreadsheet reads a cell that begins so as a formula (OWASP, CSV injection), the full-width
# forms included, and whatever stands behind white space.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "|", "%")
_COLUMNS: Final = (
    "conversation", "visitor", "started", "number", "time", "from", "author", "text", "status",
    "labels", "model", "prompt_tokens", "completion_tokens", "cost_usd", "first_token_ms",
)  # fmt: skip

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f4f5f7;color:#1c2030}"
    "main{max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "article{background:#fff;border-radius:12px;padding:1rem 1.5rem;margin:0 0 1.5rem}"
    "section{border-left:4px solid #c8ccd8;padding:0 0 0 1rem;margin:1rem 0}"
    "section.user{border-color:#2f6fd6}section.assistant{border-left-style:dashed;"
    "border-color:#8456c9}section.staff{border-left-style:double;border-color:#1b8a5a}"
    "h3{margin:0;font-size:1rem}small{font-weight:400;color:#5b6275}"
    "pre{overflow:auto;background:#f4f5f7;padding:.75rem;border-radius:8px}"
    "p,li,td{overflow-wrap:anywhere}"
)
# The file's own policy, for whoever opens it: nothing runs, nothing is fetched.
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_TYPES: Final = {
    "jsonl": "application/x-ndjson; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


def head(form: str) -> str:
    """What stands before the first conversation."""
    if form == "csv":
        return "\ufeff" + _line(_COLUMNS)
    return _html_head() if form == "html" else ""


def _html_head() -> str:
    style = mark_safe(_STYLE)  # noqa: S308  (a constant)
    context = {"style": style, "hash": mark_safe(_STYLE_HASH)}  # noqa: S308  (a hash)
    return render_to_string("admin/console/export_head.html", context)


def tail(form: str) -> str:
    """What stands after the last."""
    return "</main></body></html>\n" if form == "html" else ""


def conversation(form: str, session: ChatSession, visitor: str, said: list[ChatMessage]) -> str:
    """One conversation."""
    if form == "jsonl":
        return json.dumps(_object(session, visitor, said), ensure_ascii=False) + "\n"
    if form == "csv":
        return "".join(_line(_cells(session, visitor, one)) for one in said)
    items = [transcript.message_item(one) for one in said]
    context = {"session": session, "visitor": visitor, "items": items}
    return render_to_string("admin/console/export_one.html", context)


def defused(value: Any) -> str:
    """The value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \n\v\f\u00a0\u200b\ufeff").startswith(_FORMULA) else text


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([defused(cell) for cell in cells])
    return out.getvalue()


def _cells(session: ChatSession, visitor: str, one: ChatMessage) -> list[Any]:
    return [
        session.pk, visitor, moment(session.created_at), one.seq, moment(one.timestamp),
        one.message_type, one.author, one.content, one.status, " ".join(_labels(one)), one.model,
        one.prompt_tokens, one.completion_tokens, one.cost, one.first_token_ms,
    ]  # fmt: skip


def _object(session: ChatSession, visitor: str, said: list[ChatMessage]) -> dict[str, Any]:
    return {
        "id": session.pk,
        "visitor": visitor,
        "started": moment(session.created_at),
        "last_activity": moment(session.last_activity),
        "responder": session.responder,
        "is_active": session.is_active,
        "messages": [
            {
                "id": one.pk,
                "seq": one.seq,
                "time": moment(one.timestamp),
                "from": one.message_type,
                "author": one.author,
                "text": one.content,
                "status": one.status,
                "reply_to": one.reply_to_id,
                "labels": _labels(one),
                "safety": one.safety,
                "degraded": one.degraded,
                "model": one.model,
                "prompt_tokens": one.prompt_tokens,
                "completion_tokens": one.completion_tokens,
                "cost_usd": None if one.cost is None else str(one.cost),
                "first_token_ms": one.first_token_ms,
            }
            for one in said
        ],
    }


def _labels(one: ChatMessage) -> list[str]:
    return [str(label.get("name", "")) for label in one.labels if isinstance(label, dict)]
