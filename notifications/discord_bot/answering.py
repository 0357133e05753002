"""Answers to interactions: in three seconds or deferred, to the moderator alone, never a ping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import discord
import structlog

from chatsite.core.errors import Problem
from notifications import moderation
from notifications.database import Database
from notifications.discord_bot import access
from notifications.discord_client import NO_MENTIONS
from sessions_app.audit import Actor

log = structlog.get_logger(__name__)

# Discord gives three seconds; the way there and back takes some of them.
_SOON = 1.5
_MOST_CHARACTERS = 2000
NOT_HERE = "This is not the thread of a conversation."
FAILED = "❌ Something went wrong; nothing was done. Please try again."

Act = Callable[[str, Actor], str]


async def act(interaction: discord.Interaction, database: Database, what: Act) -> None:
    """Do it in the conversation that the interaction stands in, once, and say how it went."""
    message_id = interaction.message.id if interaction.message else None

    def done() -> str | None:
        session_id = moderation.find_session(
            channel_id=interaction.channel_id or 0, message_id=message_id
        )
        if session_id is None:
            return NOT_HERE
        return moderation.once(
            key=moderation.interaction_key(interaction.id),
            session_id=session_id,
            act=lambda: what(session_id, access.actor(interaction.user)),
        )

    await say(interaction, database(done))


async def say(interaction: discord.Interaction, work: Awaitable[str | None]) -> None:
    """Answer with what the work says, or nothing where it was a replay."""
    task = asyncio.ensure_future(_safely(work))
    await asyncio.wait({task}, timeout=_SOON)
    try:
        if not task.done():
            await interaction.response.defer(ephemeral=True, thinking=True)
        text = await task
        if text is not None:
            await _send(interaction, text[:_MOST_CHARACTERS])
    except (discord.NotFound, discord.InteractionResponded) as error:
        log.info("interaction was answered before", error=type(error).__name__)
    except discord.HTTPException as error:
        log.warning("interaction was not answered", status=error.status, code=error.code)


async def _send(interaction: discord.Interaction, text: str) -> None:
    if interaction.response.is_done():
        await interaction.edit_original_response(content=text, allowed_mentions=NO_MENTIONS)
    else:
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NO_MENTIONS)


async def _safely(work: Awaitable[str | None]) -> str | None:
    try:
        return await work
    except Problem as problem:
        return f"❌ {problem.detail}"
    except Exception:  # the interaction's edge: the moderator must hear of it
        log.exception("moderator's act failed")
        return FAILED
