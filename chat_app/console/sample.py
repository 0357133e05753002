"""Made-up conversations, as rows: believable in length, times, tokens, and in what goes wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from chat_app.console import sample_texts as texts
from chat_app.services import SAFETY_ANSWER
from sessions_app import identity

# Sign-ins by hour of the day (UTC), and by day of the week from Monday.
_HOURS: Final = (
    1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 17, 14, 16, 18, 17, 15, 13, 12, 13, 12, 9, 5, 2,
)  # fmt: skip
_DAYS: Final = (10, 11, 10, 10, 9, 5, 4)
# Questions a conversation: 10 on average, so 20 messages.
_LENGTHS: Final = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 19, 25)
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

_LASTS: Final = timedelta(hours=24)

Row = tuple[Any, ...]


@dataclass(slots=True)
class Conversation:
    """The rows of one conversation, and what staff did in it (number, act, when)."""

    session: Row
    email: str
    messages: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    acts: list[tuple[int, str, datetime]] = field(default_factory=list)


class Author:
    """Makes conversations up; the same seed makes the same ones."""

    def __init__(self, *, seed: int, now: datetime, days: int) -> None:
        self._seed, self._random = seed, random.Random(seed)  # noqa: S311  (invention, no secrets)
        self._now, self._days = now, days
        self._hashes: dict[str, str] = {}
        self._browser = identity.browser_hash("demo")

    def write(self, count: int) -> Iterator[Conversation]:
        """So many conversations, oldest first."""
        moments = sorted(self._moment() for _ in range(count))
        for number, moment in enumerate(moments):
            # How many throws came before depends on the time of day; what is said must not.
            self._random.seed(f"{self._seed} {number}")
            yield self._conversation(moment)

    def _moment(self) -> datetime:
        dice = self._random
        while True:
            # Half as many at the beginning as now: the site is growing.
            ago = int(self._days * (1 - dice.random() ** 0.7))
            day = (self._now - timedelta(days=ago)).replace(hour=0, minute=0, second=0)
            if dice.random() * 11 > _DAYS[day.weekday()]:
                continue
            hour = dice.choices(range(24), _HOURS)[0]
            moment = day + timedelta(hours=hour, seconds=dice.random() * 3600)
            if moment < self._now - timedelta(minutes=2):
                return moment

    def _conversation(self, moment: datetime) -> Conversation:
        dice = self._random
        email = f"{dice.choice(texts.NAMES)}.{dice.randrange(9000)}@{dice.choice(texts.DOMAINS)}"
        kind = dice.random()
        story = _Story(dice, self._new_id(32), moment, self._now)
        for _ in range(dice.choice(_LENGTHS)):
            story.exchange()
        if kind < 0.07:
            story.staff_answers(hand_back=kind < 0.03)
        elif kind < 0.10:
            story.goes_wrong()
        elif kind < 0.12:
            story.attack()
        if story.began + _LASTS < self._now:
            story.expires()
        session = self._session(story, email)
        return Conversation(session, email, story.messages, story.events, story.acts)

    def _session(self, story: _Story, email: str) -> Row:
        if email not in self._hashes:
            self._hashes[email] = identity.email_hash(email)
        expires = story.began + _LASTS
        expired = expires < self._now
        dice = self._random
        return (
            story.session, self._hashes[email], self._browser,
            f"192.0.2.{dice.randrange(1, 255)}", story.began, expires, story.clock,
            not expired, expires if expired else None, "expiry" if expired else "",
            story.questions, story.seq, story.responder,
            story.began + timedelta(minutes=1) if dice.random() < 0.4 else None,
        )  # fmt: skip

    def _new_id(self, length: int) -> str:
        return "".join(self._random.choices(_ALPHABET, k=length))


class _Story:
    """One conversation as it goes on."""

    def __init__(self, dice: random.Random, session: str, began: datetime, now: datetime) -> None:
        self.session, self.began, self.clock, self.now = session, began, began, now
        self.seq, self.questions, self.responder = 1, 0, "ai"
        self.messages: list[Row] = []
        self.events: list[Row] = [(session, 1, "opened", "", began)]
        self.acts: list[tuple[int, str, datetime]] = []
        self._dice, self._number = dice, 0
        self._words = {
            "order": f"A-{dice.randrange(10000, 99999)}",
            "product": dice.choice(texts.PRODUCTS),
            "city": dice.choice(texts.CITIES),
        }

    def exchange(self) -> None:
        """A question and the model's answer."""
        question = self._ask(self._pick(texts.QUESTIONS))
        text = self._pick(texts.ANSWERS)
        first = int(self._dice.lognormvariate(6.3, 0.45))
        tokens = max(8, len(text) // 4)
        model, price_in, price_out = self._dice.choice(texts.MODELS)
        prompt = 180 + 40 * min(self.questions, 8)
        done = self.clock + timedelta(milliseconds=first + tokens * 11)
        self._answer(
            text, done, reply_to=question, model=model, prompt_tokens=prompt,
            completion_tokens=tokens, cost=round(prompt * price_in + tokens * price_out, 8),
            first_token_ms=first, attempt=1,
        )  # fmt: skip
        self._wait(8, 90)

    def staff_answers(self, *, hand_back: bool) -> None:
        """The visitor asks for a person, and gets one."""
        self._ask("Could I speak to a person, please?")
        self._wait(40, 600)
        self._act("take_over")
        self.responder = "human"
        said = self._say("staff", self._pick(texts.STAFF), author="Support team")
        self._tell("message", said)
        self._wait(20, 120)
        self._ask(self._pick(texts.THANKS))
        if hand_back:
            self._wait(20, 120)
            self._act("hand_back")
            self.responder = "ai"

    def goes_wrong(self) -> None:
        """No model answers."""
        question = self._ask(self._pick(texts.QUESTIONS))
        self._answer(
            "Sorry, I could not find an answer just now. Please try again in a moment.",
            self.clock + timedelta(seconds=31), reply_to=question, status="failed",
            degraded=True, attempt=3, error=self._dice.choice(texts.ERRORS),
        )  # fmt: skip

    def attack(self) -> None:
        """Somebody tries something."""
        text, label = self._dice.choice(texts.ATTACKS)
        labels = f'[{{"name": "{label}", "rule": "{label}"}}]'
        question = self._ask(text, labels=labels, safety=True)
        answer = self._say(
            "assistant", SAFETY_ANSWER, reply_to=question, safety=True, finished_at=self.clock
        )
        self._tell("answer", answer)

    def expires(self) -> None:
        """The conversation's time is over."""
        self.seq += 1
        self.events.append((self.session, self.seq, "status", "", self.began + _LASTS))

    def _ask(self, text: str, *, labels: str = "[]", safety: bool = False) -> str:
        self.questions += 1
        asked = self._say("user", text, labels=labels, safety=safety)
        self._tell("message", asked)
        return asked

    def _answer(self, text: str, done: datetime, **facts: Any) -> None:
        """An answer of a worker: its end takes a number of its own."""
        answer = self._say("assistant", text, finished_at=done, **facts)
        self.seq += 1
        self._tell("answer", answer, done)

    def _act(self, act: str) -> None:
        self.seq += 1
        self.acts.append((self.seq, act, self.clock))

    def _tell(self, kind: str, reference: str, when: datetime | None = None) -> None:
        self.events.append((self.session, self.seq, kind, reference, when or self.clock))

    def _say(self, kind: str, content: str, **facts: Any) -> str:
        self.seq += 1
        self._number += 1
        # Beginning with the conversation's id: a conversation's keys lie together in the index.
        key = f"{self.session[:18]}{self._number:04d}"
        told = {**_MESSAGE, **facts}
        self.messages.append(
            (key, self.session, self.seq, kind, content, self.clock, *told.values())
        )
        return key

    def _pick(self, choices: tuple[str, ...]) -> str:
        return self._dice.choice(choices).format_map(self._words)

    def _wait(self, least: int, most: int) -> None:
        self.clock = min(self.clock + timedelta(seconds=self._dice.uniform(least, most)), self.now)


SESSION_COLUMNS: Final = (
    "id", "email_hash", "browser_hash", "ip_address", "created_at", "expires_at", "last_activity",
    "is_active", "closed_at", "closed_by", "message_count", "last_seq", "responder",
    "email_verified_at",
)  # fmt: skip
_MESSAGE: Final[dict[str, Any]] = {
    "reply_to": None, "labels": "[]", "safety": False, "author": "", "client_hash": "",
    "request_id": "", "status": "done", "attempt": 0, "lease_token": "", "stop_requested": False,
    "is_streamed": False, "degraded": False, "error": "", "model": "", "prompt_tokens": None,
    "completion_tokens": None, "cost": None, "first_token_ms": None, "finished_at": None,
}  # fmt: skip
EVENT_COLUMNS: Final = ("session_id", "seq", "kind", "reference", "created_at")
MESSAGE_COLUMNS: Final = (
    "id", "session_id", "seq", "message_type", "content", "timestamp", "reply_to_id",
    *tuple(_MESSAGE)[1:],
)  # fmt: skip
