"""A TCP proxy that a test holds in its hand: it delays, cuts, swallows and refuses."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_PIECE = 65_536


class Wire:
    """One port in front of others; all methods are for the threads of a test."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._next = 0
        self.port = 0
        self.targets: list[int] = []
        self.delay = 0.0  # seconds before each piece, in both directions
        # Where set, a connection is cut after so many bytes of what comes back.
        self.cut_after: Callable[[], int] | None = None
        self.cuts = 0

    async def listen(self) -> None:
        """Accept connections, on the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, backlog=1024
            )
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Cut what is open and refuse what comes, as a server that is not there."""
        self._do(self._refuse())

    def swallow(self) -> None:
        """Accept everything and pass nothing on."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def cut(self) -> None:
        """Cut what is open."""
        self._do(self._cut())

    def heal(self) -> None:
        """Pass everything on again, at once."""
        self.delay, self.cut_after = 0.0, None
        self._loop.call_soon_threadsafe(self._flows.set)
        self._do(self.listen())

    def take_out(self, port: int) -> None:
        """Open no more connections to this target; those that are open stay."""
        self.targets = [one for one in self.targets if one != port]

    def put_in(self, port: int) -> None:
        """Open connections to this target too."""
        self.targets = [*self.targets, port]

    def _do(self, act: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(10)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            found = await self._connect()
            if found is None:
                writer.transport.abort()
                return
            back_reader, back_writer = found
            self._open.add(back_writer)
            limit = self.cut_after() if self.cut_after else None
            await self._join(
                (reader, back_writer, None),
                (back_reader, writer, limit),
                ends=(writer, back_writer),
            )
        except asyncio.CancelledError:
            pass  # the run is over, and asyncio would say so for every connection
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        targets = list(self.targets)
        self._next += 1
        for number in range(len(targets)):
            with contextlib.suppress(OSError):
                port = targets[(self._next + number) % len(targets)]
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _join(self, *ways: Any, ends: tuple[asyncio.StreamWriter, ...]) -> None:
        pumps = [asyncio.create_task(self._pump(*way)) for way in ways]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for pump in pumps:
                pump.cancel()
            for outcome in await asyncio.gather(*pumps, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
                    raise outcome
            for end in ends:
                self._open.discard(end)
                end.transport.abort() if self._was_cut(pumps) else end.close()

    @staticmethod
    def _was_cut(pumps: list[asyncio.Task[None]]) -> bool:
        return any(pump.cancelled() or pump.exception() for pump in pumps)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None
    ) -> None:
        while piece := await reader.read(_PIECE):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flows.wait()
            if limit is not None and len(piece) >= limit:
                writer.write(piece[:limit])
                await writer.drain()
                await asyncio.sleep(0.01)  # an abort throws away what is not sent yet
                self.cuts += 1
                raise ConnectionResetError
            limit = limit - len(piece) if limit is not None else None
            writer.write(piece)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()


class Wires:
    """All wires of a run, on a thread of their own: they work while a test does."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._thread.start()
        self._made: list[Wire] = []

    def make(self, *targets: int) -> Wire:
        """A wire that listens already."""
        wire = Wire(self._loop)
        wire.targets = list(targets)
        wire._do(wire.listen())
        self._made.append(wire)
        return wire

    def heal(self) -> None:
        """Heal all."""
        for wire in self._made:
            wire.heal()

    def close(self) -> None:
        """Refuse everything, and end."""
        for wire in self._made:
            wire.refuse()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # type: ignore[arg-type]


def random_cuts(seed: int, least: int, most: int) -> Callable[[], int]:
    """Numbers of bytes, the same ones for the same seed."""
    chance = random.Random(seed)
    return lambda: chance.randint(least, most)
