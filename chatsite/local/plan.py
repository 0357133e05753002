"""Which processes run on this machine, in which order, and with which environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands

from chat_app import pulse
from chatsite import env
from chatsite.local import model, valkey
from chatsite.local.preflight import CannotStart
from chatsite.local.process import Process
from chatsite.local.ready import Web

# No gossip and no heartbeats among workers: the database says who does what.
_QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
# On one machine a stopped answer is tried again at the next start: no need to wait long for it.
_DRAIN_SECONDS = "3"
# Celery's warning to root takes five lines a worker; nothing of it helps on one's own machine.
_UNTOLD_WARNING = "ignore:You're running the worker with superuser"


@dataclass(frozen=True, slots=True)
class Plan:
    """`stages` start one after the other, in `environment`; `model` says to people who answers."""

    stages: tuple[tuple[Process, ...], ...]
    environment: dict[str, str]
    model: str


@contextmanager
def compose(directory: Path, *, is_terminal: bool) -> Iterator[Plan]:
    """What the settings ask for; files go to `directory`. Raises CannotStart."""
    given = {**os.environ, **_habits(is_terminal)}
    with valkey.socket(directory) as path:
        stores, extra = _stores(directory, path)
        models, named, who = _models()
        yield Plan(
            # The others later: their imports would take the cores from what is waited for.
            stages=((*stores, *models), _answering(), _others(directory)),
            environment={**given, **extra, **named},
            model=who,
        )


def _habits(is_terminal: bool) -> dict[str, str]:
    habits = {"PYTHONUNBUFFERED": "1"}
    if not env.is_set("PYTHONWARNINGS"):
        habits["PYTHONWARNINGS"] = _UNTOLD_WARNING
    if is_terminal or not env.is_set("LOG_FORMAT"):
        habits["LOG_FORMAT"] = "console"
    if not env.is_set("REPLIES_DRAIN_SECONDS"):
        habits["REPLIES_DRAIN_SECONDS"] = _DRAIN_SECONDS
    return habits


def _stores(directory: Path, path: Path) -> tuple[list[Process], dict[str, str]]:
    if env.is_set("REDIS_URL"):
        return [], {}
    server = valkey.binary()
    if server is None:
        raise CannotStart(
            "There is no Valkey for this machine. Set REDIS_URL to a Redis or Valkey."
        )
    # What a worker of an earlier run said of itself is no sign of life of this one's.
    forget = (pulse.WORKER_KEY,)
    process = valkey.process(server, directory=directory, path=path, forget=forget)
    return [process], {"REDIS_URL": f"unix://{path}"}


def _models() -> tuple[list[Process], dict[str, str], str]:
    if settings.LLM_MODEL:
        return [], {}, settings.LLM_MODEL
    if model.file() is None:
        return [], {}, "none: set GOOGLE_API_KEY or LLM_MODEL; until then nothing is answered"
    port = model.free_port()
    who = f"{model.NAME}, a small demo on this machine; GOOGLE_API_KEY or LLM_MODEL sets another"
    return [model.process(port)], model.environment(port), who


def _answering() -> tuple[Process, ...]:
    web = Web(settings.HOST, settings.PORT)
    # Preloaded, the application is imported once for all web processes.
    gunicorn = _python("gunicorn", "-c", "gunicorn.conf.py", "--preload", "chatsite.asgi")
    return (
        _worker("replies", tasks="chat_app.tasks"),
        Process("web", gunicorn, web.is_ready),
    )


def _others(directory: Path) -> tuple[Process, ...]:
    others = [
        _worker("notifications", tasks="sessions_app.tasks,notifications.tasks"),
        Process("beat", _celery("beat", "-s", str(directory / "beat"))),
    ]
    has_discord = settings.DISCORD_ENABLED and settings.DISCORD_BOT_TOKEN
    if has_discord and settings.DISCORD_CHANNEL_ID and "discord_bot" in get_commands():
        others.append(Process("discord", (sys.executable, "manage.py", "discord_bot")))
    return tuple(others)


def _worker(queue: str, *, tasks: str) -> Process:
    """A worker that imports only these task modules, so that none carries the other's world."""
    named = ("-Q", queue, "-I", tasks, "-n", f"{queue}@%h")
    return Process(queue, _celery("worker", *named, "-P", "threads", "-c", "2", *_QUIET))


def _celery(command: str, *options: str) -> tuple[str, ...]:
    return _python("celery", "--quiet", "-A", "chatsite.celery", command, *options)


def _python(module: str, *options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *options)
