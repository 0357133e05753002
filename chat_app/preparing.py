"""What answers need before a model is asked, for many at once: what was said, and a budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection

from chat_app import budgets, fallbacks, kept_back, prompts
from chat_app.budgets import Amount, Spent, Taken
from chat_app.models import ChatMessage, MessageType
from chat_app.prompts import Role, Turn

_ROLES: Final[dict[str, Role]] = {
    MessageType.USER: "user",
    MessageType.ASSISTANT: "assistant",
    MessageType.STAFF: "assistant",
}
_KINDS: Final = ", ".join(f"'{kind}'" for kind in _ROLES)
# Of one session; a derived table, since SQLite limits no part of a UNION by itself.
_SAID_BEFORE: Final = (
    "SELECT * FROM (SELECT CAST(%s AS integer) AS place, seq, message_type, content"  # noqa: S608  (names of our own, no value)
    f" FROM {ChatMessage._meta.db_table} WHERE session_id = %s AND seq < %s"
    f" AND message_type IN ({_KINDS})"
    " AND NOT safety AND NOT degraded AND deleted_at IS NULL AND content <> ''"
    " ORDER BY seq DESC LIMIT %s) AS said"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a model is told, and what was taken of budgets for its answer."""

    turns: list[Turn]
    taken: Taken | Spent


def prepare(asked: Sequence[tuple[ChatMessage, str]]) -> list[Prepared]:
    """For each answer and its mark (guard.py): a lot costs two statements, as one does."""
    histories = contexts([answer for answer, _ in asked])
    turns = [
        _turns(answer, mark, history)
        for (answer, mark), history in zip(asked, histories, strict=True)
    ]
    most = (Amount(*fallbacks.most(one)) for one in turns)
    wanted = [(answer.session_id, amount) for (answer, _), amount in zip(asked, most, strict=True)]
    return [
        Prepared(told, taken) for told, taken in zip(turns, budgets.take_all(wanted), strict=True)
    ]


def contexts(answers: Sequence[ChatMessage]) -> list[list[Turn]]:
    """What was said before each answer's question, oldest first, as the model is shown it."""
    asked: list[int | str] = []
    for place, answer in enumerate(answers):
        assert answer.reply_to is not None
        most = settings.LLM_CONTEXT_MESSAGES
        asked += [place, answer.session_id, answer.reply_to.seq, most]
    said: dict[int, list[Turn]] = defaultdict(list)
    with connection.cursor() as cursor:
        statement = " UNION ALL ".join([_SAID_BEFORE] * len(answers))
        cursor.execute(f"{statement} ORDER BY place, seq", asked)
        for place, _, kind, content in cursor.fetchall():
            said[place].append({"role": _ROLES[kind], "content": content})
    return [said[place] for place in range(len(answers))]


def _turns(answer: ChatMessage, mark: str, history: Sequence[Turn]) -> list[Turn]:
    return prompts.build(
        system=prompts.instructions(
            prompts.system_prompt(settings.LLM_SYSTEM_PROMPT_FILE),
            canary=kept_back.canary(),
            is_marked=bool(mark),
        ),
        history=history,
        question=answer.reply_to.content if answer.reply_to else "",
        most_turns=settings.LLM_CONTEXT_MESSAGES,
        most_tokens=settings.LLM_CONTEXT_TOKENS,
        mark=mark,
    )
