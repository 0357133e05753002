"""How gunicorn serves the web process: `gunicorn -c gunicorn.conf.py chatsite.asgi`."""

import gc
import os
import signal
import sys
from typing import Any

from django.core import signals as django_signals

# Libraries that DRF and structlog load where they find them, for what this process never does
# (test clients, coloured tracebacks, Markdown descriptions): 12 MB in each web process.
for name in ("docutils", "greenlet", "jinja2", "markdown", "pygments", "requests", "rich"):
    sys.modules.setdefault(name, None)  # type: ignore[arg-type]
# What DRF and simplejwt load early for what is needed late, if ever: whoever looks at the schema
# loads it (chatsite/urls.py). Django moved that signal out of its test tools. 3 MB.
_LATER = {"yaml": None, "django.test.signals": django_signals}
for name, instead in _LATER.items():
    sys.modules.setdefault(name, instead)  # type: ignore[arg-type]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

from django.conf import settings  # noqa: E402

from chatsite.core import runtime  # noqa: E402

runtime.count_in_files()  # before anything below imports what counts

from chatsite.core import checks, logs, wire  # noqa: E402

bind = [f"{settings.HOST}:{settings.PORT}"]
if settings.METRICS_PORT:
    bind.append(f"{settings.METRICS_HOST}:{settings.METRICS_PORT}")
workers = settings.WEB_WORKERS
worker_class = "asgi"
asgi_loop = "uvloop"
worker_connections = 4000
# No max_requests: a worker that drains long streams stops answering its heartbeat (ADR 0003).
timeout = 60
graceful_timeout = 30
keepalive = 30
control_socket_disable = True
logconfig_dict = logs.dictionary(settings.LOGGING)
logger_class = wire.Quiet

runtime.limit_arenas()
wire.install()


def on_starting(_server: Any) -> None:
    """Refuse to serve with keys that anyone could guess, or where figures would hide the API."""
    checks.refuse_weak_keys()
    checks.refuse_one_port_for_two()


def post_fork(_server: Any, _worker: Any) -> None:
    """Keep a SIGTERM for later: uvloop loses one that comes before the loop runs."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def post_worker_init(worker: Any) -> None:
    """Let the streams see when this worker is asked to stop."""
    runtime.worker = worker
    for name in _LATER:
        sys.modules.pop(name, None)
    runtime.switch_often()
    gc.collect()  # what importing left
    runtime.collect_seldom()
    if worker.age == 1:  # the first of this master speaks for all
        _look_around()
    worker.loop.call_soon(signal.pthread_sigmask, signal.SIG_UNBLOCK, {signal.SIGTERM})


def _look_around() -> None:
    """Say what is wrong around this process, and end gunicorn where it must not serve on it."""
    from gunicorn.arbiter import Arbiter

    from chatsite.core import surroundings

    try:
        surroundings.refuse()
    except SystemExit as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.exit(Arbiter.WORKER_BOOT_ERROR)


def child_exit(_server: Any, worker: Any) -> None:
    """Count nothing as open that a worker held when it ended."""
    runtime.forget_counts_of(worker.pid)


def on_exit(_server: Any) -> None:
    """Leave no files behind."""
    runtime.remove_counts()
