"""What each process counts for Prometheus: bounded labels, and nobody's data in any of them.

In the web process every worker counts in files of its own (gunicorn.conf.py says where), which
core/exposition.py adds up; an increment costs about 2 µs."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import Counter, Gauge, Histogram

# Until a response begins; a waiting POST /chat includes the model.
_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 35.0)
_MODEL_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)

REQUESTS: Final = Counter("chatsite_http_requests", "Requests answered", ["route", "status"])
REQUEST_SECONDS: Final = Histogram(
    "chatsite_http_request_seconds",
    "Seconds until a response began",
    ["route"],
    buckets=_REQUEST_BUCKETS,
)
OPEN_STREAMS: Final = Gauge(
    "chatsite_open_streams", "Event streams that are open", multiprocess_mode="livesum"
)
PROBLEMS: Final = Counter("chatsite_problems", "Problem bodies answered", ["code"])
LIMITS_REFUSED: Final = Counter(
    "chatsite_limits_refused", "Requests that a rate limit refused", ["group"]
)
UNTOLD: Final = Counter("chatsite_redis_untold", "Announcements and bells that Redis did not take")

ANSWERS: Final = Counter("chatsite_answers", "Answers that ended", ["outcome", "cause"])
ANSWER_SECONDS: Final = Histogram(
    "chatsite_answer_seconds", "Seconds from asking a model to the end", buckets=_MODEL_BUCKETS
)
ANSWERS_IN_PROGRESS: Final = Gauge(
    "chatsite_answers_in_progress", "Answers that this worker makes", multiprocess_mode="livesum"
)
LEASES_LOST: Final = Counter(
    "chatsite_leases_lost", "Work taken over from a worker that fell silent", ["kind"]
)
PROVIDER_CALLS: Final = Counter("chatsite_provider_calls", "Calls of a model", ["model", "result"])
PROVIDER_SECONDS: Final = Histogram(
    "chatsite_provider_seconds", "Seconds that a call took", ["model"], buckets=_MODEL_BUCKETS
)
FIRST_TOKEN_SECONDS: Final = Histogram(
    "chatsite_provider_first_token_seconds",
    "Seconds until a call's first token",
    ["model"],
    buckets=_MODEL_BUCKETS,
)
TOKENS: Final = Counter("chatsite_tokens", "Tokens asked and answered", ["model", "kind"])
COST: Final = Counter("chatsite_cost_dollars", "US dollars, by litellm's price list", ["model"])

DELIVERIES: Final = Counter("chatsite_deliveries", "Tries to tell Discord an event", ["outcome"])
DISCORD_ERRORS: Final = Counter("chatsite_discord_errors", "What Discord refused", ["kind"])
TASKS: Final = Counter("chatsite_tasks", "Bells that were answered", ["task"])


class Bounded:
    """A label whose values come from elsewhere: the first `most` are told apart, then `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        if value in self._known:
            return value
        if len(self._known) >= self._most:
            return "other"
        self._known.add(value)
        return value


cause: Final = Bounded(40)


def answered(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Count one response and the time until it began."""
    route = _route(request, response)
    REQUESTS.labels(route, str(response.status_code)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def _route(request: HttpRequest, response: HttpResponseBase) -> str:
    """The route's name, never its path; the forms of POST /chat apart, since one waits."""
    if request.path.startswith("/static/"):
        return "static"
    match = request.resolver_match
    if match is None:
        return "other"
    if "admin" in match.namespaces:
        return "admin"
    if match.url_name == "chat" and response.streaming:
        return "chat-stream"
    if match.url_name == "chat" and "respond-async" in request.headers.get("Prefer", ""):
        return "chat-async"
    return match.url_name or "other"
