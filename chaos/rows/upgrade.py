"""Old code and new code at once, over a migration that only adds: F21."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

from chaos.rows import row
from chaos.rows.broker import answered
from chaos.traffic import Traffic
from chaos.world import World, require
from tests.system.processes import ROOT
from tests.waiting import WITHIN

_FIELD = "    note_of_tomorrow = models.CharField(max_length=32, null=True, default=None)\n"
_BEFORE = '    class Meta:\n        verbose_name = "message"\n'
_COPIED = ("chatsite", "sessions_app", "chat_app", "notifications", "templates")
_FILES = ("manage.py", "gunicorn.conf.py")


@row("F21", "old code and new code together during a migration")
async def upgraded(world: World) -> str:
    """The database gets a column under the old code; then both codes serve; no post fails."""
    tomorrow = await asyncio.to_thread(_tomorrow, world.folder / "tomorrow")
    guests = await world.guests(12)
    for guest in guests[:4]:
        guest.read()
    async with Traffic(guests, per_second=10) as traffic:
        await asyncio.sleep(1)
        await asyncio.to_thread(_migrate, world, tomorrow)
        before = len(traffic.words)
        await _replace(world, tomorrow)
        await asyncio.sleep(3)
        await _replace(world, ROOT)  # a deployment that is taken back
    await answered(world, within=60)
    require(not traffic.failed, f"{len(traffic.failed)} posts failed")
    return f"{len(traffic.words)} posts, {len(traffic.words) - before} of them after it, 0 failed"


async def _replace(world: World, folder: Path) -> None:
    """One web process and the replies worker go over to the code in this folder."""
    world.front.take_out(world.ports["second web"])
    await asyncio.sleep(0.2)
    for name in ("second web", "replies"):
        await asyncio.to_thread(world.rest, name, gently=True)
        world.stack[name].folder = folder
        world.wake(name)
    await asyncio.to_thread(world.wait_until_ready)
    world.front.put_in(world.ports["second web"])


def _tomorrow(folder: Path) -> Path:
    """A copy of the code whose messages have one more column, with its migration."""
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)
    models = folder / "chat_app" / "models.py"
    text = models.read_text()
    require(_BEFORE in text, "the model is where it was")
    models.write_text(text.replace(_BEFORE, f"{_FIELD}\n{_BEFORE}"))
    return folder


def _migrate(world: World, folder: Path) -> None:
    env = world.stack.environment()
    for command in (["makemigrations", "chat_app", "-v0", "-n", "tomorrow"], ["migrate", "-v0"]):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=folder, env=env, check=True, timeout=WITHIN
        )
