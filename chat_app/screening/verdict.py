"""What a screening answers: the labels a message earned and whether the safety answer is due."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """One kind of attack a message looks like.

    `score` is between 0 and 1 and combines the weights of the rules that fired;
    `rule` names them, heaviest first and joined by `+`, so that staff can look them up.
    """

    name: str
    score: float
    rule: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The labels of a message, in a fixed order; `unsafe` is never set without a label."""

    labels: tuple[Label, ...]
    unsafe: bool
