"""The project as a whole: migrations, tasks and their queues, what the web process imports."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command

from chatsite import env


@pytest.mark.django_db
def test_needs_no_migration_when_models_are_as_they_are(capsys):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_finds_every_task_when_its_queue_names_it():
    import importlib

    import celery

    from chatsite.core import queue

    for name in queue.ROUTES:
        importlib.import_module(name.rpartition(".")[0])

    app = celery.current_app
    assert set(queue.ROUTES) <= set(app.tasks)
    rung = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert rung <= set(queue.ROUTES)
    assert {entry["queue"] for entry in queue.ROUTES.values()} == {"replies", "notifications"}


def test_keeps_what_a_worker_must_keep_when_celery_is_configured():
    import celery

    conf = celery.current_app.conf

    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_ignore_result
    assert conf.result_backend in (None, "disabled://")
    assert conf.broker_transport_options["visibility_timeout"] >= 600


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("chatsite.asgi", {"litellm", "discord", "openai", "celery"}),
        ("chatsite.celery", {"litellm", "discord"}),
        ("notifications.tasks", {"litellm"}),
        ("sessions_app.tasks", {"litellm", "discord"}),
    ],
)
def test_imports_no_heavy_library_when_a_process_starts(module, absent):
    code = (
        "import sys, django; django.setup(); "
        f"import {module}; print(*sorted(sys.modules.keys() & {absent!r}))"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "chatsite.settings",
        "DATABASE_URL": "sqlite://:memory:",
        "REDIS_URL": settings.REDIS_URL,
    }

    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=env.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


def test_is_documented_when_a_setting_is_declared():
    document = env.BASE_DIR / "docs" / "configuration.md"
    if not document.exists():
        pytest.skip("docs/configuration.md is not written yet")
    text = document.read_text(encoding="utf-8")

    assert [name for name in env.DECLARED if f"`{name}`" not in text] == []


def test_says_one_line_when_postgresql_is_to_be_measured_and_is_nowhere():
    given = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--database", "postgresql", "history"],
        cwd=env.BASE_DIR,
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 1
    assert run.stderr.strip().splitlines() == [
        "--database postgresql needs DATABASE_URL: postgres://user@host/name"
    ]


def test_looks_for_no_garbage_while_a_worker_imports_and_for_it_again_after():
    program = """
import gc
from celery.signals import import_modules, worker_init
from chatsite.celery import app
seen = []
import_modules.connect(lambda **_: seen.append(gc.isenabled()), weak=False)
states = lambda: (gc.isenabled(), gc.get_freeze_count() > 0)
worker_init.connect(lambda **_: seen.append(states()), weak=False)
app.Worker(pool="solo", queues=["notifications"], include=["sessions_app.tasks"])
print(seen)
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert run.stdout.splitlines()[-1] == "[False, (True, True)]"
