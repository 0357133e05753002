"""What answers need before a model is asked, for many at once: what was said, and a budget."""

from __future__ import annotations

import secrets
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
_TABLE: Final = ChatMessage._meta.db_table
# Of one answer: the question, and what was said before. A derived table, since SQLite limits no
# part of a UNION by itself.
_SAID: Final = (
    "SELECT CAST(%s AS integer) AS place, seq, message_type, content"  # noqa: S608  (names of our own, no value)
    f" FROM {_TABLE} WHERE id = %s"
    " UNION ALL SELECT * FROM (SELECT CAST(%s AS integer), seq, message_type, content"
    f" FROM {_TABLE} WHERE session_id = %s AND seq < (SELECT seq FROM {_TABLE} WHERE id = %s)"
    f" AND message_type IN ({_KINDS})"
    " AND NOT safety AND NOT degraded AND deleted_at IS NULL AND content <> ''"
    " ORDER BY seq DESC LIMIT %s) AS said"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a model is told, and what was taken of budgets for its answer."""

    turns: list[Turn]
    mark: str  # around what visitors said (guard.py), if there is one
    taken: Taken | Spent


def prepare(answers: Sequence[ChatMessage]) -> list[Prepared]:
    """For each answer: a lot costs two statements, as one does."""
    if not answers:
        return []
    marks = [secrets.token_hex(4) if settings.LLM_MARK_USER_TEXT else "" for _ in answers]
    turns = [_turns(mark, *said) for mark, said in zip(marks, contexts(answers), strict=True)]
    most = (Amount(*fallbacks.most(one)) for one in turns)
    wanted = [(answer.session_id, amount) for answer, amount in zip(answers, most, strict=True)]
    return list(map(Prepared, turns, marks, budgets.take_all(wanted)))


def contexts(answers: Sequence[ChatMessage]) -> list[tuple[str, list[Turn]]]:
    """Each answer's question, and what was said before it, oldest first, as models are shown it."""
    asked: list[int | str] = []
    for place, answer in enumerate(answers):
        question = str(answer.reply_to_id)
        most = settings.LLM_CONTEXT_MESSAGES
        asked += [place, question, place, answer.session_id, question, most]
    said: dict[int, list[Turn]] = defaultdict(list)
    with connection.cursor() as cursor:
        statement = " UNION ALL ".join([_SAID] * len(answers))
        cursor.execute(f"{statement} ORDER BY place, seq", asked)
        for place, _, kind, content in cursor.fetchall():
            said[place].append({"role": _ROLES[kind], "content": content})
    return [_apart(said[place]) for place in range(len(answers))]


def _apart(said: list[Turn]) -> tuple[str, list[Turn]]:
    # The question comes last; nothing does where all was erased meanwhile, the answer too.
    return (said[-1]["content"], said[:-1]) if said else ("", [])


def _turns(mark: str, question: str, history: Sequence[Turn]) -> list[Turn]:
    return prompts.build(
        system=prompts.instructions(
            prompts.system_prompt(settings.LLM_SYSTEM_PROMPT_FILE),
            canary=kept_back.canary(),
            is_marked=bool(mark),
        ),
        history=history,
        question=question,
        most_turns=settings.LLM_CONTEXT_MESSAGES,
        most_tokens=settings.LLM_CONTEXT_TOKENS,
        mark=mark,
    )
