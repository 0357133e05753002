"""The command that measures the screening: python -m chat_app.screening_report FILE.jsonl..."""

import argparse
import html
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from chat_app import screening_sources
from chat_app.screening import Verdict, screen
from chat_app.screening.judge import MODEL, RULES, WEB

NATURAL = (
    "chat_general",
    "customer_support",
    "multilingual",
    "real_llm_chat",
    "roleplay_prompt",
    "code_question",
)
INNOCENT = frozenset(
    {*NATURAL, "code_paste", "handwritten_hard", "injection_lookalike", "search_terms"}
)
LONGEST = 4_000
LONG = 96_000

_BEFORE = (
    "Good morning, I hope you had a good weekend. We bought a lamp from your shop in May. "
    "A friend sent me the following line. "
)
_AFTER = " I could not find it in the manual. Thank you for your time. Have a nice day."

Test = Callable[[Verdict], bool]
Form = Callable[[str], str]
# A start, and what is repeated after it.
Hostile = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: the share of texts that pass `test`, and what it must and should be.

    A figure with `low` is to stay below its bounds, any other above them.
    """

    title: str
    categories: tuple[str, ...]
    test: Test
    must: float
    aim: float
    low: bool = False
    form: Form = str


def labelled(verdict: Verdict) -> bool:
    """Tell whether a message got any label."""
    return bool(verdict.labels)


def labelled_web(verdict: Verdict) -> bool:
    """Tell whether a message got a label of the seven web categories."""
    return any(label.name in WEB for label in verdict.labels)


def labelled_model(verdict: Verdict) -> bool:
    """Tell whether a message was labelled as prompt injection or jailbreak."""
    return any(label.name in MODEL for label in verdict.labels)


def unsafe(verdict: Verdict) -> bool:
    """Tell whether the safety answer is due."""
    return verdict.unsafe


def padded(text: str) -> str:
    """Put three innocent sentences before and after."""
    return _BEFORE + text + _AFTER


def full_width(text: str) -> str:
    """Write every ASCII character in its full-width form."""
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
    return text.translate(wide)


def zero_width(text: str) -> str:
    """Put a zero-width space behind every character."""
    return "\u200b".join(text)


def percent_encoded(text: str) -> str:
    """Percent-encode every ASCII character but letters and digits."""
    return "".join(c if c.isalnum() or ord(c) > 127 else f"%{ord(c):02x}" for c in text)


def entity_encoded(text: str) -> str:
    """Write quotes and angle brackets as entities."""
    return html.escape(text)


_WEB = tuple(WEB)
FIGURES = (
    Figure("web attacks labelled", _WEB, labelled_web, 0.80, 0.90),
    Figure("  between innocent sentences", _WEB, labelled_web, 0.75, 0.85, form=padded),
    Figure("  in full-width", _WEB, labelled_web, 0.75, 0.85, form=full_width),
    Figure("  with zero-width characters", _WEB, labelled_web, 0.75, 0.85, form=zero_width),
    Figure("  percent-encoded", _WEB, labelled_web, 0.75, 0.85, form=percent_encoded),
    Figure("  as entities", _WEB, labelled_web, 0.75, 0.85, form=entity_encoded),
    *(Figure(f"  of these {name}", (name,), labelled_web, 0.0, 0.0) for name in _WEB),
    Figure("prompt injection labelled", ("prompt_injection",), labelled_model, 0.45, 0.70),
    Figure("jailbreak labelled", ("jailbreak",), labelled_model, 0.45, 0.70),
    Figure("innocent labelled: natural", NATURAL, labelled, 0.005, 0.002, True),
    Figure("innocent labelled: real_llm_chat", ("real_llm_chat",), labelled, 0.015, 0.007, True),
    Figure("innocent labelled: code_paste", ("code_paste",), labelled, 0.03, 0.01, True),
    Figure("innocent labelled: handwritten_hard", ("handwritten_hard",), labelled, 1, 1, True),
    Figure("innocent labelled: lookalikes", ("injection_lookalike",), labelled, 1, 1, True),
    Figure("innocent labelled: search_terms", ("search_terms",), labelled, 1, 1, True),
    Figure("innocent unsafe: natural", NATURAL, unsafe, 0.001, 0.0, True),
    Figure("innocent unsafe: code_paste", ("code_paste",), unsafe, 0.005, 0.0, True),
    Figure("innocent unsafe: handwritten_hard", ("handwritten_hard",), unsafe, 1, 1, True),
    Figure("plain web attacks unsafe", _WEB, unsafe, 0.60, 0.80),
)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share (Wilson, 1927)."""
    z, share = 1.96, hits / total
    middle = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def measure(figure: Figure, corpus: dict[str, list[str]]) -> tuple[str, bool]:
    """Return the printed row of a figure, and whether its must is kept."""
    texts = [text for name in figure.categories for text in corpus.get(name, ())]
    if not texts:
        return f"{figure.title:37} n=    0", True
    hits = sum(figure.test(screen(figure.form(text))) for text in texts)
    low, high = wilson(hits, len(texts))
    share = hits / len(texts)
    interval = f"[{low:6.2%}, {high:6.2%}]"
    row = f"{figure.title:37} n={len(texts):5} {share:7.2%} {interval:19}"
    return _judged(row, share, figure.must, figure.aim, figure.low, "%")


def _judged(
    row: str, value: float, must: float, aim: float, low: bool, unit: str
) -> tuple[str, bool]:
    if must == aim:
        return row, True
    kept, reached = (value <= must, value <= aim) if low else (value >= must, value >= aim)
    sign, factor = ("<=" if low else ">="), (100 if unit == "%" else 1)
    goals = f"must {sign} {must * factor:g} {unit}, aim {aim * factor:g}"
    return f"{row} {goals:29} {'aim' if kept and reached else 'ok' if kept else 'FAIL'}", kept


def seconds(text: str) -> float:
    """Return the processor time of one screening, the best of three runs."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        screen(text)
        times.append(time.thread_time() - start)
    return min(times)


def adversarial() -> Iterator[Hostile]:
    """Yield what provokes a slow search: hints repeated, and all of a rule's before a long run."""
    rules = [each for kind in RULES.values() for each in kind]
    hints = {hint for each in rules for gate in each.gates for hint in gate.hints()}
    odd = {"a", "1", " ", "\0", "\u200b", "\ud800", "\u0301", "\ufdfa", "%25", "&#", "&amp;", "```"}
    for hint in sorted(hints | odd):
        yield from (("", hint), ("", f"{hint} "), ("", f"{hint}a "))
    for each in rules:
        opened = " ".join(hint for gate in each.gates for hint in gate.hints())
        yield from ((opened, run) for run in ("(", ")", "'", "' ", '")', "\n", "=", "{{", "../"))


def timings(corpus: dict[str, list[str]]) -> Iterator[tuple[str, bool]]:
    """Yield the printed rows on time, and whether their must is kept.

    Ordinary traffic is the innocent categories, each text padded to 4,000 characters.
    """
    ordinary = _times([text for name in corpus.keys() & INNOCENT for text in corpus[name]])
    other = _times([text for name in corpus.keys() - INNOCENT for text in corpus[name]])
    hostile = {seed: seconds(_repeated(seed, LONGEST)) * 1e3 for seed in adversarial()}
    slowest = sorted(hostile, key=lambda seed: -hostile[seed])[:5]
    growth = max(seconds(_repeated(seed, LONG)) * 1e3 / hostile[seed] for seed in slowest)
    rows = (
        ("4,000 characters: median ms, innocent", statistics.median(ordinary or [0]), 0.5, 0.3),
        ("4,000 characters: median ms, attacks", statistics.median(other or [0]), 0.0, 0.0),
        ("4,000 characters: worst ms", max(ordinary + other), 20.0, 5.0),
        ("4,000 hostile characters: worst ms", max(hostile.values()), 20.0, 5.0),
        ("96,000 over 4,000 (24 is linear)", growth, 48.0, 30.0),
    )
    for title, value, must, aim in rows:
        yield _judged(f"{title:37} {value:15.2f} {'':19}", value, must, aim, True, "")
    yield f"  slowest seeds: {[seed[-20:] + run for seed, run in slowest]!r}", True


def _times(texts: Sequence[str]) -> list[float]:
    sample = texts[:: max(1, len(texts) // 500)]
    return [seconds(_stretched(text)) * 1e3 for text in sample]


def _stretched(text: str) -> str:
    return (text + " " + (_BEFORE + _AFTER) * (LONGEST // len(_BEFORE)))[:LONGEST]


def _repeated(hostile: Hostile, length: int) -> str:
    start, seed = hostile
    return (start + seed * (length // len(seed) + 1))[:length]


def load(paths: Iterable[Path]) -> dict[str, list[str]]:
    """Return the texts of JSONL files by category."""
    corpus: dict[str, list[str]] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            corpus.setdefault(row["category"], []).append(row["text"])
    return corpus


def main(arguments: list[str]) -> int:
    """Print the table; return 1 if a must is missed, 0 otherwise."""
    parser = argparse.ArgumentParser(prog="screening_report", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="JSONL rows with text and category")
    files = parser.parse_args(arguments).files
    corpus = load(files)
    rows = [measure(figure, corpus) for figure in FIGURES]
    rows += timings(corpus)
    for row in screening_sources.table(screening_sources.read(files)):
        rows.append((row, True))
    for row, _ in rows:
        print(row.encode("utf-8", "replace").decode())
    return 0 if all(kept for _, kept in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
