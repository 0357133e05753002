"""How many simulated people and programs are suspected: `make bot-report` prints the table."""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from random import Random
from typing import Final

from sessions_app import bot_people, bots
from sessions_app.bot_people import Group
from sessions_app.bots import Neighbours, Post

_SLOW, _WAIT, _MANY = 2, 4, 20  # the defaults of BOT_…
_A_MINUTE: Final = 10  # CHAT_RATE_LIMIT
_Z: Final = 1.96  # 95 %


@dataclass(slots=True)
class Share:
    """How many of so many."""

    name: str
    unit: str
    found: int = 0
    of: int = 0

    def line(self) -> str:
        """The share in per cent with its 95 % interval (Wilson 1927)."""
        share, n = self.found / self.of, self.of
        centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        low, high = max(0.0, centre - half), min(1.0, centre + half)
        figures = f"{share:7.2%}  {low:7.2%} – {high:7.2%}"
        return f"{self.name:<34} {self.found:>6} of {self.of:>6} {self.unit:<9} {figures}"


def measure(*, groups: int, seed: int) -> list[Share]:
    """People suspected at all or made to wait, and programs made to wait; so many groups each."""
    random = Random(seed)  # noqa: S311  (a simulation that can be repeated)
    suspected = Share("people suspected (slow or wait)", "people")
    waiting = Share("people made to wait", "people")
    for _ in range(groups):
        for score in _scores(bot_people.PEOPLE(random)).values():
            suspected.of, waiting.of = suspected.of + 1, waiting.of + 1
            suspected.found += score >= _SLOW
            waiting.found += score >= _WAIT
    found = [suspected, waiting]
    for name, make in bot_people.PROGRAMS.items():
        share = Share(f"{name}: made to wait", "programs")
        for _ in range(groups):
            share.of += 1
            share.found += max(_scores(make(random)).values()) >= _WAIT
        found.append(share)
    return found


def _scores(group: Group) -> dict[str, int]:
    """The highest score of each session, its posts judged one by one as they come."""
    scores: dict[str, int] = {visit.session: 0 for visit in group}
    own: dict[str, deque[Post]] = defaultdict(lambda: deque(maxlen=bots.MOST_POSTS))
    lately: dict[str, dict[str, float]] = defaultdict(dict)
    for session, post in _accepted(group):
        own[session].append(post)
        lately[""][session] = lately[post.text][session] = post.at
        around = Neighbours(_since(lately[""], post.at), _since(lately[post.text], post.at))
        reasons = bots.judge(list(own[session]), around, many=_MANY)
        scores[session] = max(scores[session], bots.points(reasons))
    return scores


def _since(posted: dict[str, float], now: float) -> int:
    return sum(now - at < bots.NETWORK_SECONDS for at in posted.values())


def _accepted(group: Group) -> Iterator[tuple[str, Post]]:
    """All posts in order of time, without those that the limit by the minute refuses."""
    windows: dict[str, tuple[float, int]] = {}
    every = ((visit.session, post) for visit in group for post in visit.posts)
    for session, post in sorted(every, key=lambda one: one[1].at):
        begin, count = windows.get(session, (post.at, 0))
        if post.at - begin >= 60:
            begin, count = post.at, 0
        windows[session] = begin, count + 1
        if count < _A_MINUTE:
            yield session, post


def main(groups: int = 4000, seed: int = 1) -> None:
    """Print the table."""
    print(f"{groups} groups of each kind, seed {seed}; 95 % intervals")
    for share in measure(groups=groups, seed=seed):
        print(share.line())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
