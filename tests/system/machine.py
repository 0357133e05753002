"""What this machine says of its processes and ports."""

from __future__ import annotations

import contextlib
import resource
import socket
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def resident_megabytes(pid: int) -> float:
    """VmRSS of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def mapped_files(pid: int) -> str:
    """The names of the files that a process has mapped, its extension modules among them."""
    return Path(f"/proc/{pid}/maps").read_text()


def open_files(pid: int) -> set[str]:
    """What the descriptors of a process point at."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(link.readlink()))
    return found


def inode(server_port: int, client_port: int) -> str:
    """The inode of the server's end of a loopback connection, as /proc/net/tcp has it."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = [int(address.rpartition(":")[2], 16) for address in fields[1:3]]
        if ports == [server_port, client_port]:
            return fields[9]
    raise LookupError(f"no connection from port {client_port}")


def allow_many_files() -> None:
    """Hundreds of streams at once need more than the usual 1,024 open files, here and there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
