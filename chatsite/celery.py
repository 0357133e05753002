"""The Celery application: queues, routes and the table of what beat rings."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    import_modules,
    setup_logging,
    task_postrun,
    worker_init,
    worker_ready,
)

from chatsite.core import checks, exposition, metrics, queue, runtime, surroundings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

app = Celery("chatsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_routes = queue.ROUTES
# A bell that was not heard in time is rung again by the next line of this table; what nobody hears
# is thrown away, by the worker's clock, which may be minutes away from that of beat.
_OLD = {"expires": 600}
app.conf.beat_schedule = {
    "sweep answers": {"task": queue.SWEEP_ANSWERS, "schedule": 5.0, "options": _OLD},
    "count days": {"task": queue.COUNT_DAYS, "schedule": 60.0, "options": _OLD},
    "expire sessions": {
        "task": queue.EXPIRE_SESSIONS,
        "schedule": 60.0,
        "options": _OLD,
    },
    "send codes": {"task": queue.SEND_CODES, "schedule": 10.0, "options": _OLD},
    "deliver": {"task": queue.DELIVER, "schedule": 10.0, "options": _OLD},
}


@import_modules.connect
def put_off_collecting(**_: Any) -> None:
    """Import the task modules without looking for garbage: that is a quarter of litellm's time."""
    gc.disable()


@worker_init.connect
@beat_init.connect
def collect_again(**_: Any) -> None:
    """Look for garbage from now on."""
    runtime.collect_seldom()


@worker_init.connect
@beat_init.connect
def look_around(**_: Any) -> None:
    """Refuse to work with keys that anyone could guess, or on what loses things; say the rest."""
    checks.refuse_weak_keys()
    checks.refuse_open_addresses()
    surroundings.refuse()


@worker_ready.connect
def begin_measuring(sender: Any, **_: Any) -> None:
    """The broker answers: look again where it could not be asked, and serve the figures."""
    surroundings.refuse()
    role = next(name for name in queue.NAMES if name in sender.app.amqp.queues.consume_from)
    if role == "notifications":
        from chatsite import gauges

        gauges.register()
    exposition.serve(role)


@task_postrun.connect
def count(task: Any, **_: Any) -> None:
    """A bell was answered."""
    metrics.TASKS.labels(task.name).inc()


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Leave logging as Django's settings made it: Celery configures it where nobody listens."""
