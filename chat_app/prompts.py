"""From a conversation to what a model is sent; pure."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypedDict

from chat_app import guard

Role = Literal["system", "user", "assistant"]


class Turn(TypedDict):
    """One message as providers take it."""

    role: Role
    content: str


# Bytes a token, at the low end of what tokenisers make of English and code; other scripts have
# more tokens a character but also more bytes a character. Only a budget hangs on it.
_BYTES_A_TOKEN = 3.5
_TOKENS_A_TURN = 4


def build(
    *,
    system: str,
    history: Sequence[Turn],
    question: str,
    most_turns: int,
    most_tokens: int,
    mark: str = "",
) -> list[Turn]:
    """The system prompt, the last `most_turns` of `history` that fit `most_tokens`, the question.

    The question is always there, whole; a turn that does not fit ends the look back. The roles are
    ours alone: what could set one inside of a text is made blunt, and with a `mark` what visitors
    said stands between marks.
    """
    asked = _turn({"role": "user", "content": question}, mark)
    left = most_tokens - estimate(asked["content"])
    kept: list[Turn] = []
    for said in reversed(history[-most_turns:] if most_turns else ()):
        turn = _turn(said, mark)
        left -= estimate(turn["content"])
        if left < 0:
            break
        kept.append(turn)
    head: list[Turn] = [{"role": "system", "content": system}] if system else []
    return [*head, *reversed(kept), asked]


def instructions(text: str, *, canary: str, is_marked: bool) -> str:
    """The system prompt: the operator's text, and what guards it."""
    return "\n".join([text, *([guard.NOTE] if is_marked else []), guard.secret_line(canary)])


def _turn(said: Turn, mark: str) -> Turn:
    if mark and said["role"] == "user":
        return {"role": "user", "content": guard.marked(said["content"], mark)}
    return {"role": said["role"], "content": guard.plain(said["content"])}


def estimate(text: str) -> int:
    """About how many tokens a turn of this text costs."""
    return _TOKENS_A_TURN + int(len(text.encode("utf-8", "surrogatepass")) / _BYTES_A_TOKEN)


def system_prompt(path: str) -> str:
    """What the file says now: it may be edited while the worker runs."""
    file = Path(path)
    return _read(path, file.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _read(path: str, _changed: int) -> str:
    return Path(path).read_text(encoding="utf-8").strip()
