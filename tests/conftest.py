"""What every test may use: keys, a database, a Redis of the run's own, a visitor, a provider."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import django
import pytest
import pytest_asyncio
import pytest_socket

from tests import services

gc.disable()  # until all is imported: a quarter of the time goes into looking through it
services.prepare()  # before Django reads its settings
django.setup()  # the conftests of folders below import models

import hypothesis  # noqa: E402
from django.conf import settings as django_settings  # noqa: E402

# A shared machine may be slow at any moment; what was found is in the failing test's output.
hypothesis.settings.register_profile(
    "here", deadline=None, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("here")


def pytest_configure() -> None:
    """Keep nothing open between tests, and SQLite in a file: threads share no memory database."""
    database = django_settings.DATABASES["default"]
    database["CONN_MAX_AGE"] = 0
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = f"{database['NAME']}.test"
    else:
        database["OPTIONS"]["options"] += " -c synchronous_commit=off"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each worker of pytest-xdist has services of its own."""
    services.leave_to_workers()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Workers get whole groups."""
    from tests import distribution

    return distribution.make(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    from tests import distribution

    items.sort(key=lambda item: distribution.rank(item.nodeid))


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but not in what was imported."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Trace no test whose product runs in processes of its own: it would only be slower."""
    from tests import distribution

    with distribution.untraced(item.nodeid):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """No test reaches beyond this machine."""
    pytest_socket.socket_allow_hosts(services.hosts(), allow_unix_socket=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's; at the end nobody is left in a database that is to be dropped.

    Threads of the product that a test has started may end a moment after it.
    """
    yield
    from django.db import connection

    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def _empty_tables_after_tests() -> Iterator[None]:
    """Delete rows where Django's flush truncates every table and repeats `post_migrate`.

    That takes a second a test on PostgreSQL. What `post_migrate` made stays.
    """
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: _empty_tables())
        yield


_MADE_BY_MIGRATIONS = {
    *("django_content_type", "auth_permission", "auth_group", "auth_group_permissions"),
}


def _empty_tables() -> None:
    from django.db import connection, transaction

    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    # In one transaction: foreign keys are looked at when it ends.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in sorted(set(tables) - _MADE_BY_MIGRATIONS):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


@pytest.fixture(scope="session", autouse=True)
def _celery_application() -> None:
    import chatsite.celery  # noqa: F401  (the application that has the tasks)


@pytest.fixture
def redis() -> Iterator[Any]:
    """A client of the run's Redis."""
    from redis import Redis

    client = Redis.from_url(django_settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _forget(redis: Any) -> Iterator[None]:
    """Each test begins with an empty Redis and without counts."""
    from django.core.cache import caches

    from chat_app import breaker, room
    from chatsite.core import live, ratelimit

    redis.flushdb()
    breaker._breakers.clear()
    caches["local"].clear()
    room.forget()
    ratelimit._down_until = 0.0
    yield
    live.flush(5)


@pytest.fixture
def api() -> Any:
    """A caller without a session, over HTTP."""
    from django.test import Client

    from tests.support import Api

    return Api(Client())


@pytest.fixture
def session(db: None) -> Any:
    """A live session."""
    from tests.support import open_session

    return open_session()


@pytest.fixture
def visitor(api: Any, session: Any) -> Any:
    """A caller with a live session, over HTTP, within the test's transaction."""
    return api.with_session(session)


@pytest_asyncio.fixture
async def web(transactional_db: None) -> AsyncIterator[Any]:
    """A caller with a live session on this event loop, with real transactions."""
    from asgiref.sync import sync_to_async
    from django.db import connections
    from django.test import AsyncClient

    from tests.support import Api, open_session

    session = await sync_to_async(open_session)()
    yield Api(AsyncClient(), session)
    await _close_hub()
    await sync_to_async(connections.close_all)()


async def _close_hub() -> None:
    from chatsite.core import hub

    found = hub._hubs.pop(asyncio.get_running_loop(), None)
    if found:
        await found.close()


@pytest.fixture(scope="session")
def _provider_server() -> Iterator[tuple[Any, int]]:
    from tests.standins.provider import Provider

    loop, provider = asyncio.new_event_loop(), Provider()
    thread = threading.Thread(target=loop.run_forever, name="provider", daemon=True)
    thread.start()
    port = asyncio.run_coroutine_threadsafe(provider.start(), loop).result(5)
    yield provider, port
    asyncio.run_coroutine_threadsafe(provider.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def provider(_provider_server: tuple[Any, int], settings: Any) -> Any:
    """The scripted provider, which settings point at; `LLM_MODEL` says how it behaves."""
    found, port = _provider_server
    found.asked.clear()
    found.times.clear()
    settings.LLM_API_BASE = f"http://127.0.0.1:{port}/v1"
    settings.LLM_API_KEY = "test-key"
    settings.LLM_MODEL = "openai/echo"
    settings.LLM_FALLBACK_MODELS = []
    return found


@pytest.fixture
def engine(provider: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A replies worker in this process: bells run their task here, not by way of the broker."""
    from chat_app import engine as module
    from chatsite.core import live
    from tests.support import ring

    monkeypatch.setattr(live._dispatcher, "_ring", ring)
    monkeypatch.setattr(module, "_engine", None)
    started = module.start()
    yield started
    live.flush(5)
    if started._thread.is_alive():
        started.stop(seconds=0)


@pytest.fixture
def log_lines() -> Iterator[Callable[[], list[str]]]:
    """Everything that is logged meanwhile, as the lines that a process would write."""
    import structlog

    from chatsite.core import logs

    options = logs.dictionary({"level": "DEBUG", "format": "json"})["formatters"]["line"]
    options.pop("()")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**options))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: written.getvalue().splitlines()
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def is_sqlite() -> bool:
    """Whether the run's database is SQLite."""
    return "sqlite" in os.environ["DATABASE_URL"]
