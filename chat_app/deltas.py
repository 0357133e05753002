"""One reader's view of an answer in the making: what it has, what it must get; pure."""

from __future__ import annotations

from typing import Any

from chatsite.core.live import Delta

Event = tuple[str, dict[str, Any]]


class DeltaReader:
    """Turns pieces that may repeat, overlap, be missing or begin anew into a gapless sequence.

    What it promises its reader: the `delta` texts since the last `restart` of an answer, joined,
    are the answer's text once its `answer` event follows.
    """

    def __init__(self) -> None:
        self._answer = ""
        self._attempt = 0
        self._sent = ""

    def piece(self, delta: Delta) -> list[Event]:
        """The events that this piece makes; none where it is old, known or after a gap."""
        events: list[Event] = []
        if delta.answer != self._answer:
            events += self._begin(delta.answer, delta.attempt)
        elif delta.attempt > self._attempt:
            events += self._restart(delta.attempt)
        known = len(self._sent) - delta.offset
        if delta.attempt < self._attempt or known < 0 or known >= len(delta.text):
            return events
        return [*events, self._delta(delta.text[known:])]

    def end(self, answer: str, text: str) -> list[Event]:
        """The events that complete the answer's text, before its `answer` event."""
        events = self._begin(answer, 0) if answer != self._answer else []
        if not text.startswith(self._sent):
            events += self._restart(self._attempt)
        rest = text[len(self._sent) :]
        return [*events, self._delta(rest)] if rest else events

    def _delta(self, text: str) -> Event:
        self._sent += text
        return "delta", {"answer_id": self._answer, "text": text}

    def _begin(self, answer: str, attempt: int) -> list[Event]:
        # Whoever resumes may hold a part of it from an earlier stream, and gets all of it now.
        self._answer, self._attempt, self._sent = answer, attempt, ""
        return [("restart", {"answer_id": answer})]

    def _restart(self, attempt: int) -> list[Event]:
        had, self._attempt, self._sent = self._sent, attempt, ""
        return [("restart", {"answer_id": self._answer})] if had else []
