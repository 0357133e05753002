"""What answers need before a model is asked, for many at once: what was said, and a budget."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import CharField

from chat_app import budgets, fallbacks, kept_back, prompts
from chat_app.budgets import Amount, Spent, Taken
from chat_app.models import ChatMessage, MessageType
from chat_app.prompts import Role, Turn
from chatsite.core import statements
from chatsite.core.statements import Slot, Statement

_ROLES: Final[dict[str, Role]] = {
    MessageType.USER: "user",
    MessageType.ASSISTANT: "assistant",
    MessageType.STAFF: "assistant",
}
_KINDS: Final = ", ".join(f"'{kind}'" for kind in _ROLES)
_TABLE: Final = ChatMessage._meta.db_table


def _is_shown(name: str) -> str:
    return (
        f"{name}.message_type IN ({_KINDS}) AND NOT {name}.safety AND NOT {name}.degraded"
        f" AND {name}.deleted_at IS NULL AND {name}.content <> ''"
    )


# Each question, and before it the last so many of what models are shown.
_SAID: Final = (
    "SELECT asked.id, said.seq, said.message_type, said.content"  # noqa: S608  (names of our own)
    f" FROM {_TABLE} asked JOIN {_TABLE} said"
    " ON said.session_id = asked.session_id AND said.seq <= asked.seq"
    f" AND said.seq >= COALESCE((SELECT earlier.seq FROM {_TABLE} earlier"
    " WHERE earlier.session_id = asked.session_id AND earlier.seq < asked.seq"
    f" AND {_is_shown('earlier')} ORDER BY earlier.seq DESC LIMIT 1 OFFSET %s), 0)"
    f" WHERE (said.id = asked.id OR ({_is_shown('said')}))"
    " AND asked.id IN (%s)"
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
    questions = [str(answer.reply_to_id) for answer in answers]
    said: dict[str, list[Turn]] = defaultdict(list)
    saying = _saying(max(1, settings.LLM_CONTEXT_MESSAGES))
    # Sorted here: the database would rather walk an index of all messages that is in order.
    found = sorted(saying.ask(questions=questions), key=lambda row: row[1])
    for question, _, kind, content in found:
        said[question].append({"role": _ROLES[kind], "content": content})
    return [_apart(said[question]) for question in questions]


@statements.once
def _saying(most: int) -> Statement:
    return Statement(_SAID, [most - 1, Slot("questions", CharField())])


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
