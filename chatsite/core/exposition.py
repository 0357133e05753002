"""The figures as Prometheus reads them, on a port of their own that no visitor reaches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from chatsite.core import runtime

log = structlog.get_logger(__name__)

# One METRICS_PORT for all processes of a machine: each role has its own port from there on.
OFFSETS: Final = {"web": 0, "replies": 1, "notifications": 2}


def render() -> bytes:
    """All figures of this process; in a web worker those of all web workers."""
    if runtime.COUNTS not in os.environ:
        return generate_latest(REGISTRY)
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(_WebWorkers())
    return generate_latest(registry)


def is_asked(scope: Any) -> bool:
    """Whether a request came in by the metrics' port."""
    server = scope.get("server")
    return bool(settings.METRICS_PORT and server and server[1] == settings.METRICS_PORT)


async def answer(scope: Any, send: Any) -> None:
    """Serve `/metrics`, and nothing else, on the metrics' port."""
    is_known = scope["path"] == "/metrics" and scope["method"] in ("GET", "HEAD")
    body = await sync_to_async(render, thread_sensitive=False)() if is_known else b""
    headers = [
        (b"content-type", CONTENT_TYPE_LATEST.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    status = 200 if is_known else 404
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})


def serve(role: str) -> None:
    """Serve the figures of a worker on a thread; a port that is taken is said, not fatal."""
    if not settings.METRICS_PORT:
        return
    from prometheus_client import start_http_server

    port = settings.METRICS_PORT + OFFSETS[role]
    try:
        start_http_server(port, addr=settings.METRICS_HOST)
    except OSError as error:
        log.warning("metrics are not served", port=port, error=error.strerror)
    else:
        log.info("metrics are served", address=settings.METRICS_HOST, port=port)


class _WebWorkers(Collector):
    """Memory and open files of the web workers: files of counts know nothing of them."""

    def collect(self) -> Iterable[Metric]:
        """Their sums, and the largest, so that no label is a process's number."""
        pids = _siblings()
        sizes = [_resident_bytes(pid) for pid in pids]
        files = sum(_open_files(pid) for pid in pids)
        yield _gauge("chatsite_web_workers", "Web workers", len(pids))
        yield _gauge("chatsite_web_resident_bytes", "Memory of all web workers", sum(sizes))
        yield _gauge("chatsite_web_largest_bytes", "Memory of the largest", max(sizes, default=0))
        yield _gauge("chatsite_web_open_files", "File descriptors of all web workers", files)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _siblings() -> list[int]:
    parent = os.getppid()
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _resident_bytes(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _open_files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  (names only, no objects)
    except OSError:
        return 0
