"""The form of a rule, and how the rules of one kind of attack are weighed together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from chat_app.screening.unwrap import NOT_ASCII, STEM, Views
from chat_app.screening.verdict import Label

View = Literal["text", "sql", "cased", "raw", "prose"]

# A label needs half the certainty; rules below it only count together with others.
LABEL_AT = 0.5

_LETTERS = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Gate:
    """Hints of which one must be in a text before a pattern is worth trying.

    A hint of plain letters is looked up among the stems of the words; any other in the
    text, and that only if its first symbol occurs at all.
    """

    stems: frozenset[str]
    marks: tuple[tuple[str, str], ...]

    def hints(self) -> set[str]:
        """Return the hints, cut to stems where they are words."""
        return {*self.stems, *(mark for _, mark in self.marks)}

    def needs(self) -> set[str]:
        """Return the stems and symbols without which the gate stays shut."""
        return {*self.stems, *(symbol for symbol, _ in self.marks)}

    def opens(self, views: Views, text: str) -> bool:
        """Tell whether one of the hints is there."""
        if not self.stems.isdisjoint(views.stems):
            return True
        return any(symbol in views.symbols and mark in text for symbol, mark in self.marks)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A structure to look for, and how telling it is (0 to 1).

    It fires when every gate opens and the pattern matches; if there is an `inside`, that
    must match within a stretch the pattern found. Stretches do not overlap, so that the
    work stays linear however often a delimiter is repeated.
    """

    name: str
    weight: float
    gates: tuple[Gate, ...]
    pattern: re.Pattern[str]
    inside: re.Pattern[str] | None
    view: View

    def fires(self, views: Views) -> bool:
        """Tell whether the rule's structure is in its view of the message."""
        text: str = getattr(views, self.view)
        if not all(gate.opens(views, text) for gate in self.gates):
            return False
        if self.inside is None:
            return self.pattern.search(text) is not None
        return any(self.inside.search(found[0]) for found in self.pattern.finditer(text))


def rule(
    name: str, weight: float, hints: str, pattern: str, view: View = "text", inside: str = ""
) -> Rule:
    """Make a rule; of the hints between two `&&&`, one must be in every match."""
    gates = tuple(_gate(group.split()) for group in hints.split("&&&"))
    return Rule(
        name, weight, gates, re.compile(pattern), re.compile(inside) if inside else None, view
    )


def _gate(hints: list[str]) -> Gate:
    words = [hint for hint in hints if _LETTERS.fullmatch(hint)]
    marks = [hint for hint in hints if not _LETTERS.fullmatch(hint)]
    return Gate(
        frozenset(word[:STEM] for word in words), tuple((_symbol(mark), mark) for mark in marks)
    )


def _symbol(mark: str) -> str:
    return next((char for char in mark if char.isascii() and not char.isalnum()), NOT_ASCII)


class Index:
    """Finds the few rules worth trying on a message without asking each of them."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, set[Rule]] = {}
        for each in rules:
            for key in each.gates[0].needs():
                self._rules.setdefault(key, set()).add(each)

    def near(self, views: Views) -> set[Rule]:
        """Return every rule whose first gate may open."""
        keys = self._rules.keys() & (views.stems | views.symbols)
        return set().union(*(self._rules[key] for key in keys))


def weigh(name: str, rules: Iterable[Rule], views: Views) -> Label | None:
    """Combine the rules that fire as independent evidence; None below `LABEL_AT`."""
    fired = sorted((r for r in rules if r.fires(views)), key=lambda r: (-r.weight, r.name))
    doubt = 1.0
    for each in fired:
        doubt *= 1.0 - each.weight
    score = round(1.0 - doubt, 3)
    if score < LABEL_AT:
        return None
    return Label(name, score, "+".join(each.name for each in fired))
