"""How the screening does on a source that its rules were not made from: each is left out once."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chat_app.screening.judge import MODEL, RULES, WEB
from chat_app.screening.rules import LABEL_AT, Rule
from chat_app.screening.unwrap import unwrap

# A rule counts for a source only where it fired on so many texts of other sources: what fits this
# source alone may have been made from it.
_ELSEWHERE = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """A text's category and source, and the rules that fire on it, by the label they are for."""

    category: str
    source: str
    fired: dict[str, tuple[Rule, ...]]


def read(paths: Iterable[Path]) -> list[Seen]:
    """The attacks in these files."""
    rows = (json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines())
    return [
        Seen(row["category"], row.get("source", ""), _fired(row["text"]))
        for row in rows
        if row["category"] in RULES
    ]


def table(seen: list[Seen]) -> Iterator[str]:
    """Recall of each category with all rules, and with those that other sources bear out."""
    elsewhere: dict[Rule, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in seen:
        for rule in {rule for rules in one.fired.values() for rule in rules}:
            elsewhere[rule][one.source] += 1
    if len({one.source for one in seen}) < 2:
        return
    yield "labelled with all rules, and with those only that fire in other sources too:"
    for title, categories in (
        ("the seven web categories", WEB),
        *((name, {name}) for name in RULES),
    ):
        texts = [one for one in seen if one.category in categories]
        if texts:
            whole = sum(_is_labelled(one, None) for one in texts) / len(texts)
            borne = sum(_is_labelled(one, elsewhere) for one in texts) / len(texts)
            yield f"  {title:<35} n={len(texts):5} {whole:7.2%} {borne:7.2%}"


def _fired(text: str) -> dict[str, tuple[Rule, ...]]:
    views = unwrap(text)
    return {
        name: tuple(rule for rule in rules if rule.fires(views)) for name, rules in RULES.items()
    }


def _is_labelled(one: Seen, elsewhere: dict[Rule, dict[str, int]] | None) -> bool:
    of_its_kind = MODEL if one.category in MODEL else WEB
    return any(
        _score(rule for rule in one.fired[name] if _counts(rule, one.source, elsewhere)) >= LABEL_AT
        for name in of_its_kind
    )


def _counts(rule: Rule, source: str, elsewhere: dict[Rule, dict[str, int]] | None) -> bool:
    if elsewhere is None:
        return True
    return sum(n for name, n in elsewhere[rule].items() if name != source) >= _ELSEWHERE


def _score(rules: Iterable[Rule]) -> float:
    doubt = 1.0
    for rule in rules:
        doubt *= 1.0 - rule.weight
    return round(1.0 - doubt, 3)
