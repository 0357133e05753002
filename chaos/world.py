"""The running product of a chaos run: every process, a wire before every part, one ledger."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from redis import Redis

from chaos import judge, truth
from chaos.judge import Finding
from chaos.ledger import Guest, Ledger, guests
from chaos.wires import Wires
from tests.standins.discord import MODERATOR_ROLE, TOKEN, Discord
from tests.system import databases
from tests.system.machine import free_port
from tests.system.processes import Stack
from tests.system.visitors import Entrance, entrance
from tests.waiting import wait_until

WEBS = ("web", "second web")
SETTLED_WITHIN = 90.0
# Limits are counted, as they are in production, and never reached.
_LIMITS = {
    "RATE_LIMITING_ENABLED": "on",
    "CHAT_RATE_LIMIT": "1000000/minute",
    "CHAT_ADDRESS_RATE_LIMIT": "1000000/minute",
    "AUTH_RATE_LIMIT": "1000000/minute",
    "SESSIONS_PER_ADDRESS": "0",
    "SESSIONS_PER_ADDRESS_A_DAY": "0",
}
_RESTART_AFTER = 0.3  # as an orchestrator does, a little quicker


class Broken(AssertionError):
    """A bound was not held."""


class World:
    """One product on one database; rows break it, and it heals."""

    def __init__(self, folder: Path, database_url: str, settings: dict[str, str]) -> None:
        self.folder, self.database_url = folder, database_url
        self.is_sqlite = database_url.startswith("sqlite")
        self.is_short = False  # CI's three minutes
        self.has_no_mirror = settings.get("DISCORD_ENABLED") == "off"
        self.ledger = Ledger()
        self.wires = Wires()
        self.redis, self.provider, self.front = (self.wires.make() for _ in range(3))
        self.postgres = None if self.is_sqlite else self.wires.make(_port(database_url))
        self.discord = Discord().start()
        self.stack = self._stack(settings)
        self.resting: set[str] = set()
        self.restarts: dict[str, int] = {}
        self._ending = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor")
        self.door: Entrance

    def _stack(self, settings: dict[str, str]) -> Stack:
        stack = Stack(
            self.folder,
            database_url=self._proxied(),
            REDIS_URL=f"redis://127.0.0.1:{self.redis.port}/0",
            LLM_API_BASE=f"http://127.0.0.1:{self.provider.port}/v1",
            WEB_WORKERS="1",
            MESSAGE_LIMIT="100000",
            **_LIMITS,
            BACKLOG_LIMIT="5000",
            **{**_discord(self.discord), **settings},
        )
        ports = [_port(stack.url), free_port()]
        stack.add("second web", stack["web"].command, {"PORT": str(ports[1])})
        if not self.has_no_mirror:
            stack.add("bot", [sys.executable, "manage.py", "discord_bot"])
        self.ports = dict(zip(WEBS, ports, strict=True))
        self.redis.targets = [stack.broker_port]
        self.provider.targets = [_port(stack.provider_url)]
        self.front.targets = ports
        return stack

    def _proxied(self) -> str:
        if self.postgres is None:
            return self.database_url
        parts = urlsplit(self.database_url)
        at = f"{parts.username or 'postgres'}@127.0.0.1:{self.postgres.port}"
        return parts._replace(netloc=at).geturl()

    # --- its processes ------------------------------------------------------------------------
    def start(self) -> None:
        """Migrate, start everything, and wait until it is ready."""
        self.stack.start()
        self._supervisor.start()
        self.wait_until_ready()

    def close(self) -> None:
        """End everything that was started."""
        self._ending.set()
        if self._supervisor.ident:
            self._supervisor.join(10)
        self.stack.close()
        self.discord.stop()
        self.wires.close()

    def kill(self, name: str) -> None:
        """kill -9; what supervises the processes starts it again."""
        self.stack[name].kill()

    def rest(self, name: str, *, gently: bool = False) -> None:
        """End it, and leave it ended until `wake` or `heal`."""
        self.resting.add(name)
        self.stack[name].stop() if gently else self.stack[name].kill()

    def wake(self, name: str) -> None:
        """Have it started again."""
        self.resting.discard(name)

    def send(self, name: str, sign: signal.Signals) -> None:
        """Send a signal to a process."""
        self.stack[name].send(sign)

    def restart(self, name: str, command: list[str] | None = None, **settings: str) -> None:
        """End it and have it started again, with other settings or by another command."""
        self.rest(name, gently=True)
        self.stack[name].command = command or self.stack[name].command
        self.stack[name].env.update(settings)
        self.wake(name)
        wait_until(lambda: self.stack[name].is_running, f"{name} runs again")

    def heal(self) -> None:
        """Mend all that was broken, and wait until everything is ready."""
        self.wires.heal()
        self.discord.is_down = False
        self.discord.faults.clear()
        self.resting.clear()
        for process in self.stack:
            with contextlib.suppress(ProcessLookupError):
                process.send(signal.SIGCONT)
        wait_until(lambda: all(one.is_running for one in self.stack), "all processes run")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until each web process says that it is."""
        for name in WEBS:
            wait_until(lambda web=name: self.is_ready(web), f"{name} is ready")  # type: ignore[misc]

    def is_ready(self, web: str = "web") -> bool:
        """Whether /health/ready says so."""
        return self.stack.status_of(f"{self.url_of(web)}/health/ready") == 200

    def url_of(self, web: str) -> str:
        """Where one web process listens, past the front."""
        return f"http://127.0.0.1:{self.ports[web]}"

    @property
    def url(self) -> str:
        """Where visitors come in."""
        return f"http://127.0.0.1:{self.front.port}"

    def broker(self) -> Redis:
        """A client of the broker, past its wire."""
        return Redis(port=self.stack.broker_port, socket_timeout=5)

    def _supervise(self) -> None:
        while not self._ending.wait(_RESTART_AFTER):
            for process in self.stack:
                if process.name not in self.resting and not process.is_running:
                    self.restarts[process.name] = self.restarts.get(process.name, 0) + 1
                    process.start()

    # --- its visitors -------------------------------------------------------------------------
    async def guests(self, count: int) -> list[Guest]:
        """New visitors."""
        return await guests(self.door, self.ledger, count)

    async def guest(self) -> Guest:
        """A new visitor."""
        [found] = await self.guests(1)
        return found

    # --- how it ends --------------------------------------------------------------------------
    async def settle(self, within: float = SETTLED_WITHIN) -> float:
        """Wait until nothing is owed any more; the seconds that it took.

        Raises Broken where nothing has become less for `within` seconds.
        """
        began = changed = time.monotonic()
        least = 10**9
        while owed := await asyncio.to_thread(truth.owed, self.database_url):
            left, now = sum(owed.values()), time.monotonic()
            least, changed = (left, now) if left < least else (least, changed)
            if now - changed > within:
                raise Broken(f"still owed, and not less for {within:g} s: {owed}")
            await asyncio.sleep(0.5)
        return time.monotonic() - began

    async def findings(self) -> list[Finding]:
        """The ledger against database and Discord."""
        mirror = None if self.has_no_mirror else self.discord
        held = await asyncio.to_thread(truth.read, self.database_url, mirror)
        found = judge.compare(self.ledger, held)
        return found + [Finding("invalid", one) for one in dict.fromkeys(self.discord.invalid)]

    async def forget(self) -> None:
        """Close the readers and begin a new ledger: what it held was found to be kept."""
        await asyncio.gather(*(reader.close() for reader in self.ledger.readers))
        self.ledger.readers.clear()


def _port(url: str) -> int:
    return urlsplit(url).port or 5432


def _discord(discord: Discord) -> dict[str, str]:
    return {
        "DISCORD_ENABLED": "on",
        "DISCORD_BOT_TOKEN": TOKEN,
        "DISCORD_CHANNEL_ID": discord.channel_id,
        "DISCORD_MODERATOR_ROLE_IDS": MODERATOR_ROLE,
        "DISCORD_REPLY_MODE": "every_message",
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
    }


@contextlib.asynccontextmanager
async def opened(folder: Path, server: str, **settings: str) -> AsyncIterator[World]:
    """A world on SQLite, or on a database made for it on `server`; all is ended afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with databases.fresh(server, folder, name=f"{_prefix()}_{os.getpid()}") as url:
        world = World(folder, url, settings)
        try:
            await asyncio.to_thread(world.start)
            async with entrance(world.url) as world.door:
                yield world
        finally:
            await asyncio.to_thread(world.close)


def _prefix() -> str:
    return os.environ.get("CHAOS_DATABASE", "chatsite_chaos")


async def until(is_so: Callable[[], Any], what: str, within: float) -> float:
    """Wait until it is so, in a thread's time; the seconds it took; raises Broken."""
    began = time.monotonic()
    while not await asyncio.to_thread(is_so):
        if time.monotonic() - began > within:
            raise Broken(f"not within {within:g} s: {what}")
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def require(is_so: object, what: str) -> None:
    """Raise Broken with these words where it is not so."""
    if not is_so:
        raise Broken(what)
