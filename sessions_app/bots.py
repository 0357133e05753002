"""How much a visitor's behaviour is a program's: a few points, each with its reason; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Final

# Posts that are looked at, and over how long they must lie: what happens at once is the limits'.
MOST_POSTS: Final = 20
LEAST_SECONDS: Final = 60.0
# So long a session counts among those of its network, and a text among its texts.
NETWORK_SECONDS: Final = 600

# A person reads, thinks and types: the times between their posts differ by half their mean and
# more (bot_report.py). A timer's differ by what the network adds.
_INTERVALS: Final = 7
_REGULAR, _STRICT = 0.1, 0.06
# Nobody reads an answer and types twenty characters within two seconds, time and again.
_RAPID_SECONDS, _RAPID_CHARACTERS = 2.0, 20
_RAPID_OF: Final = 8
# An impatient person asks the same a few times, and may do so again a minute later.
_SAME, _VERY_SAME = 12, 15
_SAME_ELSEWHERE: Final = 8


@dataclass(frozen=True, slots=True)
class Post:
    """One message: when (seconds), what (a hash), and how many characters."""

    at: float
    text: str
    length: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Sessions of the same network that posted lately, and those of them that said just this."""

    sessions: int = 0
    same_text: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """What is unlike a person, in words for staff, and how many points it is."""

    name: str
    points: int
    detail: str


def judge(posts: Sequence[Post], around: Neighbours, *, many: int) -> list[Reason]:
    """Why these posts, oldest first, look like a program's; nothing in most cases.

    `many`: sessions of one network that are suspicious; twice as many are a farm.
    """
    found = [_crowd(around, many), _echo(around)]
    if posts and posts[-1].at - posts[0].at >= LEAST_SECONDS:
        found += [_cadence(posts), _haste(posts), _repetition(posts)]
    return [one for one in found if one]


def points(reasons: Sequence[Reason]) -> int:
    """The score: 2 is suspicious, 4 is a program."""
    return sum(one.points for one in reasons)


def _cadence(posts: Sequence[Post]) -> Reason | None:
    gaps = [later.at - earlier.at for earlier, later in pairwise(posts)]
    last = gaps[-_INTERVALS:]
    mean = fmean(last)
    if len(last) < _INTERVALS or mean <= 0:
        return None
    varies = pstdev(last) / mean
    if varies > _REGULAR:
        return None
    detail = f"{_INTERVALS + 1} messages, {mean:.1f} s apart, give or take {varies:.0%}"
    return Reason("cadence", 4 if varies <= _STRICT else 2, detail)


def _haste(posts: Sequence[Post]) -> Reason | None:
    last = posts[-_RAPID_OF - 1 :]
    rapid = sum(
        later.at - earlier.at < _RAPID_SECONDS and later.length >= _RAPID_CHARACTERS
        for earlier, later in pairwise(last)
    )
    if rapid < _RAPID_OF // 2:
        return None
    detail = f"{rapid} of {_RAPID_OF} messages within {_RAPID_SECONDS:.0f} s of the one before"
    return Reason("haste", 4 if rapid > _RAPID_OF // 2 else 2, detail)


def _repetition(posts: Sequence[Post]) -> Reason | None:
    times = max(Counter(post.text for post in posts).values())
    if times < _SAME:
        return None
    detail = f"{times} of {len(posts)} messages say the same"
    return Reason("repetition", 4 if times >= _VERY_SAME else 2, detail)


def _crowd(around: Neighbours, many: int) -> Reason | None:
    if not many or around.sessions < many:
        return None
    detail = f"{around.sessions} conversations of one address in {NETWORK_SECONDS // 60} minutes"
    return Reason("many_sessions", 4 if around.sessions >= 2 * many else 2, detail)


def _echo(around: Neighbours) -> Reason | None:
    if around.same_text < _SAME_ELSEWHERE:
        return None
    detail = f"the same words in {around.same_text} conversations of one address"
    return Reason("same_text", 4 if around.same_text >= 2 * _SAME_ELSEWHERE else 2, detail)
