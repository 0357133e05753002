"""One production for all tests of this folder, in the order in which an operator starts it."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_socket

from tests.deployment.compose import Machines, nginx
from tests.system import databases
from tests.system.machine import allow_many_files, free_port
from tests.system.processes import Process, _python

HALF_SENT = b"GET /health HTTP/1.1\r\nHost: chat.example.com\r\nX-Slow: "
MANY = 500


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of the production together."""
    for item in items:
        if "tests/deployment/" in item.path.as_posix():
            item.add_marker(pytest.mark.xdist_group("deployment"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the processes said where a test failed."""
    report: Any = yield
    machines = getattr(item, "funcargs", {}).get("production")
    if report.failed and isinstance(machines, Machines):
        report.sections += [(f"log of {name}", said) for name, said in machines.tails()]
    return report


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Production, up and healthy; 500 half-sent requests came before it was."""
    if nginx() is None:
        missing = "nginx is not installed (apt-get install nginx-light)"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    allow_many_files()
    folder = tmp_path_factory.mktemp("production")
    port = str(free_port())
    command = _python("tests.standins.provider", port)
    provider = Process("provider", command, os.environ, folder / "provider.log")
    server = os.environ.get("DATABASE_URL", "")
    with databases.fresh(server, folder, name=f"chatsite_production_{os.getpid()}") as url:
        machines = Machines(folder, database_url=url, provider_url=f"http://127.0.0.1:{port}")
        _allow(machines)
        try:
            provider.start()
            _make_certificate(folder / "tls", machines.addresses["proxy"])
            _start(machines)
            yield machines
        finally:
            machines.close()
            provider.kill()


def _start(machines: Machines) -> None:
    machines.start("valkey", "proxy")
    machines.wait_until_healthy("valkey", "proxy")
    early = _half_sent(machines)
    machines.collect_static()
    machines.run("migrate")
    replies = ["replies", "replies-2"] if os.environ.get("PRODUCTION") else ["replies"]
    machines.start("web-a", "web-b", *replies, "notifications", "beat")
    machines.wait_until_healthy("web-a", "web-b", *replies, "notifications")
    machines.early = early


def _half_sent(machines: Machines) -> list[socket.socket]:
    """Connections that never end their headers; plain HTTP, which costs no handshakes."""
    found = []
    for _ in range(MANY):
        one = socket.create_connection((machines.addresses["proxy"], 8080), timeout=30)
        one.sendall(HALF_SENT)
        found.append(one)
    return found


@pytest.fixture(autouse=True)
def _reach_machines(request: pytest.FixtureRequest) -> None:
    """The addresses of production are this machine's too."""
    if "production" in request.fixturenames:
        _allow(request.getfixturevalue("production"))


def _allow(machines: Machines) -> None:
    pytest_socket.socket_allow_hosts(
        ["127.0.0.1", "::1", *machines.addresses.values()], allow_unix_socket=True
    )


@pytest.fixture
def trust(production: Machines) -> ssl.SSLContext:
    """What a browser would trust."""
    return ssl.create_default_context(cafile=production.folder / "tls" / "fullchain.pem")


@pytest.fixture
def browser(production: Machines, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    """A visitor's browser, over TLS and HTTP/2."""
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Test/1.0", "Host": "chat.example.com"}
    with httpx.Client(
        base_url=production.url, verify=trust, http2=True, timeout=40, headers=headers
    ) as client:
        yield client


def _make_certificate(folder: Path, address: str) -> None:
    folder.mkdir()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=chat.example.com"),
            *("-addext", f"subjectAltName=DNS:chat.example.com,IP:{address}"),
            *("-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
