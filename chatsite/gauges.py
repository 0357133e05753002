"""What the notifications worker measures when it is scraped: the queue, the mirror, the broker.

One process asks, so that the web answers no query for a figure. More of them say the same."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

import redis
import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import REGISTRY, Collector
from redis.exceptions import RedisError

from chat_app import backlog as chat_backlog
from chat_app import pulse
from chatsite.core import queue, surroundings
from notifications import backlog as mirror_backlog
from notifications import pause
from notifications import pulse as discord

log = structlog.get_logger(__name__)

Figure = tuple[str, str, float]


class Measured(Collector):
    """Asks the database and Redis; what is away is said by `_up` being 0, and the rest is told."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must ask nobody."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All figures."""
        for name, measure in (("database", _database), ("broker", _broker)):
            yield from _figures(name, measure)
        bells = GaugeMetricFamily(
            "chatsite_bells_waiting", "Bells in the broker that no worker took", labels=["queue"]
        )
        found = GaugeMetricFamily(
            "chatsite_finding",
            "What is wrong around this process (docs/operations.md)",
            labels=["id"],
        )
        with contextlib.suppress(RedisError, OSError), _client() as client:
            for name in queue.NAMES:
                bells.add_metric([name], float(client.llen(f"chatsite:{name}")))
        for finding in surroundings.look():
            found.add_metric([finding.id], 1.0)
        yield from (bells, found)


def register() -> None:
    """Have this process measure when it is scraped."""
    REGISTRY.register(Measured())


def _figures(part: str, measure: Callable[[], Iterable[Figure]]) -> Iterable[Metric]:
    try:
        figures = list(measure())
        is_up = 1.0
    except (DatabaseError, RedisError, OSError) as error:
        log.warning("figures are missing", part=part, error=type(error).__name__)
        figures, is_up = [], 0.0
    yield GaugeMetricFamily(f"chatsite_{part}_up", f"Whether the {part} answers", value=is_up)
    for name, text, value in figures:
        yield GaugeMetricFamily(f"chatsite_{name}", text, value=value)


def _database() -> Iterator[Figure]:
    try:
        waiting = chat_backlog.answers()
        yield "answers_waiting", "Questions that no worker has begun", waiting.waiting
        yield "answers_running", "Answers being made", waiting.running
        yield "answers_abandoned", "Answers whose worker fell silent", waiting.abandoned
        yield "answer_oldest_seconds", "Age of the oldest unfinished answer", waiting.oldest
        owed = mirror_backlog.deliveries()
        yield "deliveries_waiting", "Events owed to Discord", owed.waiting
        yield "delivery_oldest_seconds", "Age of the oldest event owed to Discord", owed.oldest
        reason, _ = pause.current()
        yield "mirror_paused", "Whether Discord refuses the mirror", bool(reason)
    finally:
        connection.close()  # the thread that was asked ends with its answer


def _broker() -> Iterator[Figure]:
    with _client() as client:
        memory = dict(client.info("memory"))
        stats = dict(client.info("stats"))
        yield "broker_used_bytes", "Memory that the broker uses", memory["used_memory"]
        yield "broker_limit_bytes", "Memory it may use; 0: no limit", memory["maxmemory"]
        yield "broker_evicted_keys", "Keys it threw away", stats["evicted_keys"]
        yield (
            "replies_alive",
            "Whether a replies worker beats",
            bool(client.exists(pulse.WORKER_KEY)),
        )
        yield "bot_alive", "Whether a bot leads", bool(client.exists(discord.LEADER))


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=settings.REDIS_TIMEOUT,
        socket_connect_timeout=settings.REDIS_TIMEOUT,
    )
