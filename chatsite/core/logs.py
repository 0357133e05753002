"""Logging: one JSON object a line, with the request's id and without anybody's words."""

from __future__ import annotations

import logging.config
import traceback
from typing import Any

import structlog
from structlog.types import EventDict, Processor

# What each process binds once, and each request anew.
bind = structlog.contextvars.bind_contextvars
bound = structlog.contextvars.bound_contextvars


def configure(options: dict[str, str]) -> None:
    """Send every logger of the process through structlog; Django's LOGGING_CONFIG."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(dictionary(options))


def dictionary(options: dict[str, str]) -> dict[str, Any]:
    """The standard library's logging configuration, for Django, Celery and gunicorn alike."""
    quiet = {"level": "WARNING", "handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _shared(),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    _renderer(options["format"]),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": options["level"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "gunicorn.access": quiet,
            # They print what was asked and answered, or one line a call.
            "LiteLLM": quiet,
            "httpx": quiet,
            "openai": quiet,
            "django.db.backends": quiet,
            "markdown_it": quiet,
            "discord": quiet,
            # It warns of intents and voice that the mirror has no use for.
            "discord.client": {"level": "ERROR", "handlers": [], "propagate": True},
            "discord.state": {"level": "ERROR", "handlers": [], "propagate": True},
            "django.request": {"level": "CRITICAL", "handlers": [], "propagate": True},
            "celery.app.trace": quiet,
            "celery.worker.strategy": quiet,
            "celery.worker.request": quiet,
            "celery.beat": quiet,
        },
    }


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _without_words,
    ]


def _renderer(form: str) -> Processor:
    if form == "console":
        return _for_people(structlog.dev.ConsoleRenderer(pad_event_to=0, pad_level=False))
    return structlog.processors.JSONRenderer(ensure_ascii=True)


def _for_people(render: Processor) -> Processor:
    """The hour first, and without what only machines look for."""

    def renderer(logger: Any, method: str, event: EventDict) -> Any:
        event["timestamp"] = event.pop("time")[11:19]
        if event["level"] == "info":
            event.pop("logger", None)
            event.pop("request_id", None)
        return render(logger, method, event)

    return renderer


def _without_words(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace a traceback by types and places: an exception's text may quote a visitor."""
    raised = event.pop("exc_info", None)
    if raised is True:
        import sys

        raised = sys.exc_info()
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["error"] = type(raised).__qualname__
        event["at"] = [
            f"{frame.filename.rsplit('site-packages/')[-1]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(raised.__traceback__)[-12:]
        ]
    return event
