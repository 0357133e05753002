"""chatsite.core.postgresql: a kept connection that died is found without asking it."""

import time

import pytest
from django.db import connection, connections

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it is PostgreSQL's"),
]


def test_is_usable_without_a_query_when_it_lives(django_assert_num_queries, monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "cursor", lambda *_: pytest.fail("asked"))

    assert connection.is_usable()


def test_is_not_usable_when_the_server_ended_it():
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        deadline = time.monotonic() + 10
        while connection.is_usable() and time.monotonic() < deadline:
            time.sleep(0.01)

        assert not connection.is_usable()
    finally:
        other.close()
        connection.close()


def test_is_not_usable_when_it_was_never_opened():
    fresh = connections.create_connection("default")

    assert not fresh.is_usable()


def test_is_usable_when_the_server_only_said_something():
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN words")
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("NOTIFY words")

        assert connection.is_usable()
    finally:
        other.close()
