"""Which models are spared for a while, since they only fail: each worker finds out for itself."""

from __future__ import annotations

import time

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

# Of LLM_BREAKER_SECONDS: two seconds of thirty, so that a short outage is short for visitors too.
_FIRST_SHARE = 1 / 15


class Breaker:
    """One model's: LLM_BREAKER_FAILURES failures in a row open it.

    A little later one call is let through to try: it closes the breaker, or the next one waits
    twice as long, up to LLM_BREAKER_SECONDS.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._failures = 0
        self._pause = 0.0
        self._tried_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the model is spared, but for one call now and then."""
        return self._failures >= settings.LLM_BREAKER_FAILURES

    def admits(self) -> bool:
        """Whether a call may be made now; after one that tries, no other may for a while."""
        if not self.is_open:
            return True
        if time.monotonic() < self._tried_again_at:
            return False
        self._wait(self._pause * 2)
        return True

    def succeeded(self) -> None:
        """The model answered."""
        if self.is_open:
            log.warning("model is asked again", model=self._model)
        self._failures = 0

    def failed(self) -> None:
        """The model did not answer."""
        was_open = self.is_open
        self._failures += 1
        if self.is_open:
            # What was on its way when it opened fails one after another: that is one outage.
            self._wait(self._pause if was_open else settings.LLM_BREAKER_SECONDS * _FIRST_SHARE)
        if self.is_open and not was_open:
            log.error("model fails and is spared", model=self._model, seconds=self._pause)

    def _wait(self, seconds: float) -> None:
        self._pause = min(seconds, settings.LLM_BREAKER_SECONDS)
        self._tried_again_at = time.monotonic() + self._pause


_breakers: dict[str, Breaker] = {}


def of(model: str) -> Breaker:
    """The breaker of a model, in this process."""
    return _breakers.setdefault(model, Breaker(model))
