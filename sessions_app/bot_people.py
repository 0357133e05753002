"""Simulated people and simple programs, to measure how they are judged; pure, by a seed.

People type as 136 million keystrokes say: on a desktop 51.6 words a minute, standard deviation 20.2
(Dhakal et al. 2018, CHI, "Observations on Typing from 136 Million Keystrokes"), on a phone 36.2 and
13.2 (Palin et al. 2019, MobileHCI, "How do People Type on Mobile Devices?"). They read 238 words a
minute, most between 175 and 300 (Brysbaert 2019, Journal of Memory and Language 109). A word is
five characters, as there. How long they think, how often they paste, repeat and send in pieces is
assumed, and assumed to be much."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from sessions_app.bots import Post

_WORD: Final = 5
_LONGEST: Final = 50  # messages of a session
_QUESTIONS: Final = 400  # that programs choose from


@dataclass(frozen=True, slots=True)
class Visit:
    """One session's posts, in order."""

    session: str
    posts: list[Post]


Group = list[Visit]  # sessions of one network


def office(random: Random) -> Group:
    """One to eight people of one network, who come within a quarter of an hour."""
    begin = random.uniform(0, 900)
    return [
        person(random, f"p{n}", begin + random.uniform(0, 900)) for n in range(random.randint(1, 8))
    ]


def person(random: Random, name: str, begin: float) -> Visit:
    """Somebody who asks, reads what is answered, thinks, and asks again."""
    is_on_phone = random.random() < 0.5
    words = (
        _normal(random, 36.2, 13.2, 8, 90) if is_on_phone else _normal(random, 51.6, 20.2, 8, 140)
    )
    reading = _normal(random, 238, 40, 120, 400)
    count = min(_LONGEST, 1 + int(random.expovariate(1 / 6)))
    posts: list[Post] = []
    at = begin
    while len(posts) < count:
        text, length = _said(random, posts)
        typed = (
            1.5 if random.random() < 0.1 else length / _WORD / words * 60
        )  # one in ten is pasted
        at += typed + (random.lognormvariate(1.4, 0.8) if random.random() < 0.92 else 0)
        posts.append(Post(at, text, length))
        if random.random() < 0.08:  # in pieces: the next one follows without an answer
            continue
        answer = random.lognormvariate(4.1, 0.6)  # words; the median is 60
        at += random.uniform(1, 4) + random.uniform(0.3, 1) * answer / reading * 60
    return Visit(name, posts)


def steady(random: Random) -> Group:
    """A program on a timer, whose network adds up to five per cent; another text each time."""
    pause, at = random.uniform(6.5, 60), random.uniform(0, 900)
    posts = []
    for n in range(_LONGEST):
        at += pause * random.uniform(0.95, 1.05)
        posts.append(Post(at, f"t{n}", random.randint(5, 200)))
    return [Visit("b", posts)]


def repeating(random: Random) -> Group:
    """A program that says one thing again and again, at random times."""
    at, posts = random.uniform(0, 900), []
    for _ in range(_LONGEST):
        at += random.uniform(6.5, 60)
        posts.append(Post(at, "same", 40))
    return [Visit("b", posts)]


def farm(random: Random) -> Group:
    """Fifty to three hundred sessions of one network, each with a few messages at random times."""
    length = random.uniform(300, 900)
    return [
        Visit(f"b{n}", _some(random, random.uniform(0, length)))
        for n in range(random.randint(50, 300))
    ]


def _some(random: Random, at: float) -> list[Post]:
    posts = []
    for _ in range(random.randint(1, 5)):
        posts.append(Post(at, f"q{random.randrange(_QUESTIONS)}", random.randint(5, 200)))
        at += random.uniform(2, 30)
    return posts


def _said(random: Random, posts: Iterable[Post]) -> tuple[str, int]:
    """A new text, the last one again, or a question that the website suggests."""
    last = list(posts)[-1:]
    if last and random.random() < 0.04:
        return last[0].text, last[0].length
    if not last and random.random() < 0.2:
        return f"suggested{random.randrange(4)}", 25
    length = max(2, int(random.lognormvariate(3.7, 0.8)))  # characters; the median is 40
    return f"own{random.random()}", length


def _normal(random: Random, mean: float, deviation: float, least: float, most: float) -> float:
    return min(most, max(least, random.gauss(mean, deviation)))


PEOPLE: Final[Callable[[Random], Group]] = office
PROGRAMS: Final[dict[str, Callable[[Random], Group]]] = {
    "fixed cadence": steady,
    "repeated text": repeating,
    "session farm": farm,
}
