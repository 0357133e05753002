"""Keeps the processes running until it is told to stop, and then ends them all."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from chatsite.local.child import Child
from chatsite.local.console import Console
from chatsite.local.process import Process

Stage = Sequence[Process]

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_MOST_CRASHES = 5
# A process that ran this long has started well: its next crash is counted from one.
_SETTLED_SECONDS = 20.0
_UP_SECONDS, _UP_PAUSE = 60.0, 0.02
# The replies worker gives back what it could not finish; the others need less.
_STOP_SECONDS = 6.0


class Supervisor:
    """Starts `stages` one after the other; a later stage is stopped before an earlier one."""

    def __init__(
        self, *, environment: Mapping[str, str], directory: Path, console: Console
    ) -> None:
        self._environment, self._directory, self._console = environment, directory, console
        self._stages: list[list[Child]] = []
        self._crashes: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._stops = 0
        self._status = 0

    async def run(
        self, stages: Sequence[Stage], *, then: Callable[[], Awaitable[None]] | None = None
    ) -> int:
        """Run until a signal comes or a process keeps crashing; the exit status that fits.

        `then` is awaited beside the processes once all are started.
        """
        self._listen()
        try:
            for stage in stages:
                await self._start(stage)
            beside = asyncio.ensure_future(then()) if then else None
            await self._ending.wait()
            if beside:
                beside.cancel()
        finally:
            await self._stop()
        return self._status

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        for number in _STOPS:
            loop.add_signal_handler(number, self._told_to_stop, number)

    async def _start(self, stage: Stage) -> None:
        if self._ending.is_set():
            return
        children = [self._child(process) for process in stage]
        self._stages.append(children)
        for process in stage:
            await self._until_up(process)

    def _child(self, process: Process) -> Child:
        return Child(
            process,
            environment=self._environment,
            directory=self._directory,
            console=self._console,
        )

    async def _until_up(self, process: Process) -> None:
        if process.is_up is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UP_SECONDS):
                while not self._ending.is_set() and not await process.is_up():  # noqa: ASYNC110
                    await asyncio.sleep(_UP_PAUSE)
            return
        self._console.warn(f"{process.name} is not up after {_UP_SECONDS:g} s; going on without")

    def _reap(self) -> None:
        """Start anew what has ended without being asked to."""
        self._changed.set()
        if self._ending.is_set():
            return
        for stage in self._stages:
            for place, child in enumerate(stage):
                if (status := child.status()) is not None and not child.is_buried:
                    child.bury()
                    self._crashed(stage, place, child, status)

    def _crashed(self, stage: list[Child], place: int, child: Child, status: int) -> None:
        name = child.process.name
        before = 0 if child.seconds > _SETTLED_SECONDS else self._crashes.get(name, 0)
        self._crashes[name] = before + 1
        if before >= _MOST_CRASHES:
            self._give_up(f"{name} keeps ending ({_said(status)}); see its lines above")
            return
        pause = min(_FIRST_PAUSE * 2**before, _LONGEST_PAUSE)
        self._console.warn(f"{name} ended ({_said(status)}); starting it again in {pause:g} s")
        asyncio.get_running_loop().call_later(pause, self._again, stage, place)

    def _again(self, stage: list[Child], place: int) -> None:
        if not self._ending.is_set():
            stage[place] = self._child(stage[place].process)

    def _give_up(self, why: str) -> None:
        self._console.warn(f"{why}. Stopping.")
        self._status = 1
        self._ending.set()

    def _told_to_stop(self, number: int) -> None:
        self._stops += 1
        if self._stops > 1:
            self._kill()
            return
        hint = "; once more kills" if number == signal.SIGINT else ""
        self._console.say(f"Stopping{hint} ...")
        self._ending.set()

    async def _stop(self) -> None:
        self._ending.set()
        for stage in reversed(self._stages):
            for child in stage:
                child.ask_to_end()
            if not await self._ended(stage):
                self._kill(stage)
                await self._ended(stage)
        for child in self._all():
            child.bury()

    async def _ended(self, stage: Sequence[Child]) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                while any(child.status() is None for child in stage):
                    self._changed.clear()
                    await self._changed.wait()
            return True
        late = ", ".join(child.process.name for child in stage if child.status() is None)
        self._console.warn(f"{late} did not end within {_STOP_SECONDS:g} s and is killed")
        return False

    def _kill(self, children: Sequence[Child] | None = None) -> None:
        for child in children or self._all():
            child.kill()

    def _all(self) -> list[Child]:
        return [child for stage in self._stages for child in stage]


def _said(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit {status}"
