"""One web process for the rows that need the wire."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.abuse.wire import Web
from tests.system import databases

_ON_THE_WIRE = ("test_a07", "test_a08", "test_a09", "test_a14", "test_a16", "test_a24")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one process together."""
    for item in items:
        if item.path.name.startswith(_ON_THE_WIRE) and "abuse" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("abuse"))


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A running web process, on a database of its own beside the one that the run is on."""
    folder, server = tmp_path_factory.mktemp("abuse"), os.environ["DATABASE_URL"]
    with databases.fresh(server, folder, name=f"chatsite_abuse_{os.getpid()}") as url:
        web = Web(folder, database_url=url)
        try:
            web.start()
            yield web
        finally:
            web.process.kill()


@pytest.fixture(scope="session")
def token(wire: Web) -> str:
    """A session's token there."""
    return wire.sign_in()


@pytest.fixture
def web_log(wire: Web) -> Path:
    """What the process has said."""
    return wire.process.log
