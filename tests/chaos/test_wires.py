"""The wire really delays, cuts, swallows and refuses; else a chaos run would prove nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from chaos.wires import Wire, Wires

_SECONDS = 5.0


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire before a server that says back what it hears."""
    wires, server = Wires(), socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_echo, args=(server,), daemon=True).start()
    yield wires.make(server.getsockname()[1])
    wires.close()
    server.close()


def _echo(server: socket.socket) -> None:
    while True:
        try:
            found, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_say_back, args=(found,), daemon=True).start()


def _say_back(found: socket.socket) -> None:
    with found:
        while piece := found.recv(1000):
            found.sendall(piece)


def _open(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), _SECONDS)


def _is_cut(found: socket.socket) -> bool:
    try:
        return found.recv(1000) == b""
    except ConnectionError:
        return True


def test_passes_everything_on(wire: Wire) -> None:
    with _open(wire) as found:
        found.sendall(b"hello")
        assert found.recv(1000) == b"hello"


def test_refuses_and_heals(wire: Wire) -> None:
    with _open(wire) as found:
        found.sendall(b"hello")
        found.recv(1000)
        wire.refuse()
        assert _is_cut(found)
    with pytest.raises(ConnectionError):
        _open(wire)
    wire.heal()
    with _open(wire) as found:
        found.sendall(b"again")
        assert found.recv(1000) == b"again"


def test_swallows_until_it_is_healed(wire: Wire) -> None:
    with _open(wire) as found:
        found.sendall(b"one")
        assert found.recv(1000) == b"one"
        wire.swallow()
        found.sendall(b"two")
        found.settimeout(0.2)
        with pytest.raises(TimeoutError):
            found.recv(1000)
        wire.heal()
        found.settimeout(_SECONDS)
        assert found.recv(1000) == b"two"


def test_cuts_after_so_many_bytes(wire: Wire) -> None:
    wire.cut_after = lambda: 3
    with _open(wire) as found:
        found.sendall(b"hello")
        assert found.recv(1000) == b"hel"
        assert _is_cut(found)
    assert wire.cuts == 1


def test_goes_to_another_target_where_one_is_away(wire: Wire) -> None:
    gone = socket.create_server(("127.0.0.1", 0))
    port = gone.getsockname()[1]
    gone.close()
    wire.put_in(port)
    for _ in range(4):
        with _open(wire) as found:
            found.sendall(b"hello")
            assert found.recv(1000) == b"hello"
    wire.take_out(port)
    assert port not in wire.targets
