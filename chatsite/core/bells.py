"""Celery's bells, rung without Celery: its client is a tenth of a web process (ADR 0067)."""

from __future__ import annotations

import kombu.transport.redis  # noqa: F401  (now, and not at the first ring)
from django.conf import settings
from kombu import Connection, Producer
from kombu.utils.uuid import uuid

from chatsite.core import queue

_connection: Connection | None = None


def ring(task: str) -> None:
    """Enqueue the task, which takes no arguments and has no result; one thread may ring.

    Raises what kombu, redis-py and the system raise where the broker is away; nothing is tried
    again here, and the next ring begins with a new connection.
    """
    global _connection
    if _connection is None:
        options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_retries": 0}
        _connection = Connection(settings.CELERY_BROKER_URL, transport_options=options)
    try:
        _enqueue(_connection, task)
    except Exception:
        _connection.release()
        _connection = None
        raise


def _enqueue(connection: Connection, task: str) -> None:
    # Celery's message protocol, version 2:
    # https://docs.celeryq.dev/en/stable/internals/protocol.html
    number = uuid()
    Producer(connection.default_channel, auto_declare=False).publish(
        ([], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}),
        routing_key=queue.ROUTES[task]["queue"],
        serializer="json",
        correlation_id=number,
        headers={
            "lang": "py",
            "task": task,
            "id": number,
            "root_id": number,
            "parent_id": None,
            "group": None,
            "ignore_result": True,
        },
    )
