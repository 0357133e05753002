"""What must hold before anything is started, each said in one line where it does not."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CannotStart(Exception):
    """Says in one line what is wrong and what to do."""


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold `directory` for this process: two servers on one set of files would ruin them."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "up.lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"Chatsite already runs from this directory (process {file.read().strip()}). "
                "Stop that one first."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def check_port(host: str, port: int) -> None:
    """Raise CannotStart where the web process could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server itself: else the port of one that has just ended would seem in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
            probe.listen(1)
        except OSError as error:
            raise CannotStart(_why(host, port, error)) from error


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use on {host}. Set PORT to a free one, e.g. PORT={port + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} is for root alone. Set PORT to one above 1023, e.g. PORT=8000."
    return f"Cannot listen on {host}, port {port}: {error.strerror}. Set HOST and PORT."
