"""What is wrong around a process is said by id, refused where it must be, and heals."""

import subprocess
import time

import pytest
from django.db import OperationalError, connection

from chatsite.core import schema, surroundings
from tests import services


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch):
    monkeypatch.setattr(surroundings, "_last", None)


@pytest.fixture
def own_redis(tmp_path, settings):
    """A Valkey of the test's own, whose policy may be changed."""
    server = services.valkey(tmp_path)
    settings.REDIS_URL = f"unix://{tmp_path}/valkey.sock"
    from redis import Redis

    with Redis.from_url(settings.REDIS_URL) as client:
        yield client
    services.end(server)


def ids() -> set[str]:
    return {one.id for one in surroundings.look(most_seconds_old=0.0)}


pytestmark = pytest.mark.django_db(transaction=True)


def test_finds_nothing_when_all_is_right(own_redis):
    assert ids() == set()
    surroundings.refuse()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_refuses_to_start_when_redis_may_evict(own_redis, settings, policy):
    settings.DEBUG = False
    own_redis.config_set("maxmemory-policy", policy)

    with pytest.raises(SystemExit, match=r"chatsite\.E030.*noeviction"):
        surroundings.refuse()

    own_redis.config_set("maxmemory-policy", "noeviction")
    surroundings.refuse()


def test_only_says_that_redis_may_evict_in_development(own_redis, settings):
    settings.DEBUG = True
    own_redis.config_set("maxmemory-policy", "allkeys-lru")

    surroundings.refuse()

    assert ids() == {"chatsite.E030"}


def test_says_once_that_redis_is_away_and_that_it_is_back(own_redis, settings, log_lines):
    there = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert ids() == ids() == {"chatsite.W031"}
    surroundings.refuse()
    settings.REDIS_URL = there
    assert ids() == set()

    said = [line for line in log_lines() if "chatsite.W031" in line]
    assert ["something is wrong" in line for line in said] == [True, False]
    assert "it is right again" in said[1]


def test_says_that_the_database_is_away(own_redis, monkeypatch):
    def away(*_args, **_options):
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", away)

    assert ids() == {"chatsite.W032"}
    surroundings.refuse()


def test_names_the_first_migration_that_is_not_applied(own_redis, monkeypatch):
    known = (*schema._known(), "chat_app.9998_next", "chat_app.9999_last")
    monkeypatch.setattr(schema, "_known", lambda: known)

    [finding] = surroundings.look(most_seconds_old=0.0)

    assert (finding.id, finding.refuses) == ("chatsite.W033", False)
    assert finding.text == "2 migrations are not applied, the first is chat_app.9998_next."


def test_finds_no_fault_in_migrations_of_newer_code(own_redis, monkeypatch):
    monkeypatch.setattr(schema, "_known", lambda: ("chat_app.0001_initial",))

    assert ids() == set()


def test_lacks_every_migration_when_the_database_is_empty(monkeypatch):
    monkeypatch.setattr(connection.introspection, "table_names", lambda _cursor: [])

    with connection.cursor() as cursor:
        assert schema.missing(cursor) == list(schema._known())


@pytest.mark.parametrize(("apart", "found"), [(120, True), (-120, True), (2, False)])
def test_compares_clocks(apart, found):
    assert bool(list(surroundings._skew("database", time.time() + apart, time.time()))) is found


def test_blames_no_clock_for_a_question_that_took_long():
    assert not list(surroundings._skew("database", time.time() - 9, time.time() - 10))


@pytest.mark.parametrize(("number", "refused"), [(130012, True), (140000, False), (170002, False)])
def test_refuses_a_postgresql_that_is_too_old(number, refused):
    assert [one.refuses for one in surroundings._version(number)] == [True] * refused


@pytest.fixture
def sqlite(is_sqlite):
    if not is_sqlite:
        pytest.skip("SQLite only")


def test_warns_of_a_file_that_other_machines_do_not_have(sqlite, settings, own_redis):
    settings.REDIS_URL = "redis://redis.example.com:6379/0"

    assert [one.id for one in surroundings._disk()] == ["chatsite.W036"]


def test_refuses_a_folder_that_cannot_be_written(sqlite, own_redis, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)

    with pytest.raises(SystemExit, match=r"chatsite\.E037"):
        surroundings.refuse()


def test_answers_with_what_it_knows_while_another_thread_asks(own_redis, monkeypatch):
    before = surroundings.look()
    monkeypatch.setattr(surroundings, "_all", lambda: pytest.fail("asked twice at once"))
    with surroundings._lock:
        assert surroundings.look(most_seconds_old=0.0) == before


def test_ends_gunicorn_when_it_must_not_serve(tmp_path):
    """The whole way: master, first worker, words, exit status."""
    import os
    import sys

    server = services.valkey(tmp_path, "--maxmemory-policy", "allkeys-lru")
    try:
        run = subprocess.run(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "chatsite.asgi"],
            env={
                **os.environ,
                "DEBUG": "off",
                "PORT": "0",
                "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
                "REDIS_URL": f"unix://{tmp_path}/valkey.sock",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        services.end(server)
    assert run.returncode == 3
    assert "chatsite.E030" in run.stderr
    assert "noeviction" in run.stderr
