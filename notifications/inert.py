"""Text of strangers made inert for Discord, and cut where a message must be continued; pure.

Everything that was typed stays readable and in its place. What Discord would act on is broken by a
backslash, or by a zero-width space where Discord's clients do not agree on backslashes."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

ZERO_WIDTH: Final = "\u200b"

# Marks that reorder a line, and controls; a moderator shall see that they are there.
_UNSEEN = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\u0085\u2028\u2029]")
_MARKDOWN = re.compile(r"([\\*_~|`\[\]])")
# Headings, small print, quotes, lists: they count only where a line begins.
_LINE_START = re.compile(r"^([^\S\n]*)(?:([#>]|[+-](?=[\s#]))|(\d{1,9})([.)])(?=\s))", re.MULTILINE)
_BROKEN: Final = (
    (re.compile(r"@(?=everyone|here)", re.IGNORECASE), f"@{ZERO_WIDTH}"),
    (re.compile(r"<(?=[#@:/!a-z&]|\\_)", re.IGNORECASE), f"<{ZERO_WIDTH}"),
    (re.compile(r"://"), f":{ZERO_WIDTH}//"),
    (re.compile(r"\](?=\()"), f"]{ZERO_WIDTH}"),
    (re.compile(r"(discord(?:app)?)\.(?=\w)", re.IGNORECASE), rf"\1{ZERO_WIDTH}."),
)
_COSTS: Final = {
    **dict.fromkeys("\\*_~|`[#>+-@<:.)", 2),
    "]": 3,
    "\n": 1,
}
_LONGEST_CLUSTER = 32
_NAME_LENGTH = 11  # of `[U+202E]`, with its brackets' backslashes and what parts it from a `(`


def defuse(text: str) -> str:
    """The text as it was typed, without anything that Discord acts on."""
    found = _LINE_ENDS.sub("\n", text)
    found = _UNSEEN.sub(_name, found)
    found = _MARKDOWN.sub(r"\\\1", found)
    found = _LINE_START.sub(_escape_start, found)
    for pattern, replacement in _BROKEN:
        found = pattern.sub(replacement, found)
    return found


def pieces(text: str, *, most: int) -> list[str]:
    """The text cut into defused pieces of at most `most` UTF-16 units; nothing is left out.

    Cut at line ends and spaces where they are near, never inside a character as people see it.
    """
    return [defuse(raw) for raw in _cut(_LINE_ENDS.sub("\n", text), most)] or [""]


def length(text: str) -> int:
    """UTF-16 units: the longest way in which Discord may count."""
    return len(text) + sum(character > "\uffff" for character in text)


def _cut(text: str, most: int) -> Iterator[str]:
    costs = [_cost(character) for character in text]
    if sum(costs) <= most:  # most texts
        yield text
        return
    begin = size = 0
    breaks: list[int] = []
    for start, end in _clusters(text):
        cost = sum(costs[start:end])
        if size + cost > most:
            cut = next((at for at in reversed(breaks) if at > begin + (start - begin) // 2), start)
            yield text[begin:cut]
            begin, size = cut, sum(costs[cut:start])
            breaks = [at for at in breaks if at > cut]
        size += cost
        if text[end - 1] in " \n":
            breaks.append(end)
    if begin < len(text):
        yield text[begin:]


@functools.lru_cache(maxsize=4096)
def _cost(character: str) -> int:
    """The most units that the character becomes."""
    if _UNSEEN.match(character):
        return _NAME_LENGTH
    return _COSTS.get(character, length(character))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Where each character as people see it begins and ends, roughly as UAX 29 has it."""
    start = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and at - start < _LONGEST_CLUSTER and _belongs(text, start, at):
            continue
        yield start, at
        start = at


def _belongs(text: str, start: int, at: int) -> bool:
    here, before = text[at], text[at - 1]
    if here < "\u0300":
        return False
    if before == "\u200d" or here in "\u200d\ufe0e\ufe0f":
        return before not in " \n"
    if "\U0001f1e6" <= here <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff":
        return at - start == 1
    is_modifier = "\U0001f3fb" <= here <= "\U0001f3ff" or "\U000e0020" <= here <= "\U000e007f"
    return is_modifier or unicodedata.category(here) in {"Mn", "Me", "Mc"}


def _name(found: re.Match[str]) -> str:
    return f"[U+{ord(found[0]):04X}]"


def _escape_start(found: re.Match[str]) -> str:
    space, sign, number, dot = found.groups()
    return f"{space}\\{sign}" if sign else f"{space}{number}\\{dot}"
