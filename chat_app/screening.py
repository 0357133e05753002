"""Screening: which attack a text looks like, and whether it is due the safety answer; pure."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    score: float
    rule: str


@dataclass(frozen=True, slots=True)
class Verdict:
    labels: tuple[Label, ...]
    unsafe: bool


_RULES = (
    ("xss", r"<script[^>]{0,40}>"),
    ("sqli", r"'\s{0,5};\s{0,5}drop\s+table"),
    ("ssti", r"\{\{[^}]{0,60}constructor"),
    ("traversal", r"(\.\./){2,}etc/"),
)


def screen(text: str) -> Verdict:
    """Placeholder until the measured screening lands."""
    found = tuple(Label(n, 1.0, n) for n, p in _RULES if re.search(p, text, re.IGNORECASE))
    return Verdict(found, bool(found))
