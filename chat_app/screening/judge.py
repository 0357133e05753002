"""The verdict on a message: every kind of attack is weighed, then the safety answer decided."""

import re

from chat_app.screening import (
    commands,
    lookups,
    markup,
    paths,
    personas,
    prompts,
    queries,
    templates,
)
from chat_app.screening.rules import Index, Rule, weigh
from chat_app.screening.unwrap import Views, unwrap
from chat_app.screening.verdict import Label, Verdict

WEB: dict[str, tuple[Rule, ...]] = {
    "xss": markup.RULES,
    "sqli": queries.RULES,
    "cmdi": commands.RULES,
    "traversal": paths.RULES,
    "ssti": templates.RULES,
    "nosqli": lookups.NOSQL_RULES,
    "ldapi": lookups.LDAP_RULES,
}
MODEL: dict[str, tuple[Rule, ...]] = {
    "prompt_injection": prompts.RULES,
    "jailbreak": personas.RULES,
}
RULES = WEB | MODEL
_INDEX = Index(rule for rules in RULES.values() for rule in rules)

# One clear structure is enough for the safety answer; what only just makes a label is not.
UNSAFE_AT = 0.6
# A message with this many words said to a person asks about code rather than attacks with it.
_SPOKEN_WORDS = 2
_SPOKEN = re.compile(
    r"\?\s*$|[\u0370-\u1fff\u3040-\ud7ff]{2}|(?<![\w$.\-/=<])(?:the|an|of|how|what|why|who|which|does|did|can|could|would|should|please|you|your|"
    r"my|me|we|our|i|it|that|these|there|have|has|was|were|am|are|about|der|die|das|und|ist|wie|warum|kann|ich|mein|meine|"
    r"bitte|nicht|ein|eine|les|des|une|est|pourquoi|comment|je|mon|ce|que|qui|los|las|una|por|qué|cómo|mi|para|gli|che|perché|"
    r"sono|um|uma|não|meu|het|een|waarom|hoe|mijn|jak|dlaczego|nasıl|neden)(?![\w$.\-/=(])"
)


def screen(text: str) -> Verdict:
    """Label what a message looks like, and say whether the safety answer is due.

    Never raises, whatever the text; the same text always gets the same verdict. Takes
    time linear in the length of the text.
    """
    views = unwrap(text)
    near = _INDEX.near(views)
    weighed = (weigh(name, near.intersection(rules), views) for name, rules in RULES.items())
    labels = tuple(label for label in weighed if label)
    return Verdict(labels, any(map(_is_clear, labels)) and not _asks_a_person(views))


def _is_clear(label: Label) -> bool:
    # Orders to the model are inert by the prompt's design: they are labelled, and answered.
    return label.name in WEB and label.score >= UNSAFE_AT


def _asks_a_person(views: Views) -> bool:
    words = _SPOKEN.finditer(views.prose)
    return sum(1 for _ in zip(range(_SPOKEN_WORDS), words, strict=False)) == _SPOKEN_WORDS
