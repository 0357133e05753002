"""chatsite.core.bells: what it enqueues is what Celery would, and a broker away holds nobody up."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import celery
import pytest
from celery.worker.request import Request
from kombu.exceptions import OperationalError

from chatsite.core import bells, queue


@pytest.fixture(autouse=True)
def _no_connection_yet(monkeypatch: pytest.MonkeyPatch, redis: Any) -> Iterator[None]:
    monkeypatch.setattr(bells, "_connection", None)
    yield
    if bells._connection:
        bells._connection.release()


def _enqueued(name: str, count: int) -> list[Any]:
    """So many messages of a queue, as a worker of Celery takes them."""
    with celery.current_app.connection_for_read() as connection:
        waiting = connection.SimpleQueue(name)
        found = [waiting.get(timeout=5) for _ in range(count)]
        for message in found:
            message.ack()
        waiting.close()
    return found


@pytest.mark.parametrize("task", [queue.ANSWER, queue.DELIVER, queue.SEND_CODES])
def test_is_taken_for_celerys_own_when_a_worker_gets_it(task):
    importlib.import_module(task.rpartition(".")[0])  # where a worker would have it
    bells.ring(task)
    celery.current_app.send_task(task, ignore_result=True)

    ours, celerys = _enqueued(queue.ROUTES[task]["queue"], 2)
    assert (ours.content_type, ours.payload) == (celerys.content_type, celerys.payload)
    assert ours.headers["id"] == ours.headers["root_id"] == ours.properties["correlation_id"]
    changing = {"id", "root_id"}
    assert {k: v for k, v in ours.headers.items() if k not in changing} == {
        k: v for k, v in celerys.headers.items() if k in ours.headers and k not in changing
    }
    taken, expected = (Request(one, app=celery.current_app) for one in (ours, celerys))
    for read in ("name", "args", "kwargs", "ignore_result", "eta", "expires", "parent_id", "group"):
        assert getattr(taken, read) == getattr(expected, read), read


def test_raises_at_once_and_rings_again_when_the_broker_was_away(settings):
    there = settings.CELERY_BROKER_URL
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(OperationalError, match="refused"):
        bells.ring(queue.ANSWER)
    settings.CELERY_BROKER_URL = there

    bells.ring(queue.ANSWER)

    _enqueued("replies", 1)


def test_rings_again_when_the_broker_cut_the_connection(redis):
    bells.ring(queue.ANSWER)
    assert bells._connection
    redis.client_kill_filter(_id=bells._connection.default_channel.client.client_id())

    bells.ring(queue.ANSWER)

    _enqueued("replies", 2)
