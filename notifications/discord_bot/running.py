"""The life of the bot's process: lead, listen, begin again after whatever ended the connection."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import structlog
from django.conf import settings

from chatsite.core import cancelling
from notifications import discord_client
from notifications.discord_bot.client import ENDINGS, Bot, reason
from notifications.discord_bot.leader import Lease

log = structlog.get_logger(__name__)

_SHORTEST, _LONGEST = 2.0, 300.0
_CLOSING = 5.0  # what a connection takes to end in good order


async def run(make: Callable[[], Bot] = Bot) -> None:
    """Lead and listen until the process is told to stop."""
    discord_client.configure(
        api_base=settings.DISCORD_API_BASE, gateway_url=settings.DISCORD_GATEWAY_URL
    )
    loop, is_told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, is_told.set)
    await _first(_lead_for_ever(make), is_told.wait())


async def _lead_for_ever(make: Callable[[], Bot]) -> None:
    while True:
        lease = Lease()
        try:
            await lease.acquire()
            log.info("this bot leads")
            await _first(_listen_for_ever(make), lease.hold())
            log.warning("another bot leads now")
        finally:
            await lease.release()


async def _listen_for_ever(make: Callable[[], Bot]) -> None:
    """Connect again whatever happened: a bad token may be repaired, and one malformed event ends
    a client of discord.py."""
    wait = _SHORTEST
    while True:
        began = asyncio.get_running_loop().time()
        bot = make()
        try:
            async with bot:
                await bot.start(settings.DISCORD_BOT_TOKEN)
        except ENDINGS as error:
            log.error("discord bot is not connected", reason=reason(error))
        except Exception:  # the process's edge: a moderator's bot must come back
            log.exception("discord bot failed")
        lasted = asyncio.get_running_loop().time() - began
        wait = _SHORTEST if lasted > _LONGEST else min(wait * 2, _LONGEST)
        await asyncio.sleep(wait)


async def _first(*works: object) -> None:
    """Run all; when one ends, end the others. Raises what one of them failed with."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Again and again: a cancellation that meets an event of the gateway is lost in Python 3.11.
        await asyncio.gather(*(cancelling.end(task, again=_CLOSING) for task in tasks))
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error
