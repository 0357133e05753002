"""The bot itself: one connection to the gateway, and what it does with each event."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

import aiohttp
import discord
import structlog
from django.conf import settings

from notifications.database import Database
from notifications.discord_bot import access, answering, commands, components
from notifications.discord_bot.inbox import Inbox
from notifications.discord_client import NO_MENTIONS

log = structlog.get_logger(__name__)

_DATABASE_THREADS = 4
_KINDS = discord.InteractionType


def intents() -> discord.Intents:
    """What the gateway is asked for; the content of messages, which Discord must allow the
    application, only where messages themselves are replies."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = True
    is_talk = settings.DISCORD_REPLY_MODE == "every_message"
    # Else what is typed in a thread is between colleagues.
    wanted.message_content = wanted.guild_typing = is_talk
    return wanted


class Bot(discord.Client):
    """A client with the commands and buttons, for the guild of DISCORD_CHANNEL_ID."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            intents=intents(),
            allowed_mentions=NO_MENTIONS,
            max_messages=None,
            chunk_guilds_at_startup=False,
            **options,
        )
        self.database = Database(_DATABASE_THREADS, name="bot-db")
        self.guild_id = 0
        self.tree = commands.Tree(self, is_allowed=self.is_allowed)
        self.inbox = Inbox(self, self.database)
        self._catching_up: asyncio.Task[None] | None = None
        commands.add_all(self.tree, self.database)

    async def setup_hook(self) -> None:
        """Find the guild, and put the commands into it."""
        channel = await self.fetch_channel(int(settings.DISCORD_CHANNEL_ID))
        if not isinstance(channel, discord.TextChannel):
            raise discord.InvalidData("DISCORD_CHANNEL_ID is not a text channel")
        self.guild_id = channel.guild.id
        guild = discord.Object(self.guild_id)
        self.tree.copy_global_to(guild=guild)
        await self.tree.sync(guild=guild)

    async def close(self) -> None:
        """Disconnect, and give the threads back."""
        if self._catching_up:
            self._catching_up.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._catching_up
        await super().close()
        await asyncio.to_thread(self.database.close)

    def is_allowed(self, interaction: discord.Interaction) -> bool:
        """Whether the interaction is of our guild and a moderator's."""
        is_here = interaction.guild_id == self.guild_id
        return is_here and access.may_act(interaction.user, interaction.permissions)

    async def on_ready(self) -> None:
        """Deal with what was missed, beside what comes now."""
        log.info("discord bot is ready", guild=str(self.guild_id))
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self.inbox.catch_up())

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        await self.inbox.wrote(message)

    async def on_raw_typing(self, payload: discord.RawTypingEvent) -> None:
        """Somebody is writing."""
        await self.inbox.typing(payload)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Somebody edited a message."""
        await self.inbox.edited(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Somebody deleted a message."""
        await self.inbox.deleted({payload.message_id}, channel_id=payload.channel_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Somebody deleted many messages."""
        await self.inbox.deleted(payload.message_ids, channel_id=payload.channel_id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Somebody pressed a button or sent a form; commands go to the tree."""
        if interaction.type not in {_KINDS.component, _KINDS.modal_submit}:
            return
        if not components.is_ours(interaction):
            return
        if not self.is_allowed(interaction):
            await answering.say(interaction, commands.denied())
        elif interaction.type is _KINDS.component:
            await components.pressed(interaction, self.database)
        else:
            await components.submitted(interaction, self.database)

    async def on_error(self, event_method: str, /, *args: Any, **options: Any) -> None:
        """One event failed; the others go on."""
        log.error("discord event failed", discord_event=event_method, exc_info=sys.exception())


# What ends a client although waiting or a repair would help.
ENDINGS = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)


def reason(error: BaseException) -> str:
    """Why a client ended, in a sentence for the operator."""
    if isinstance(error, discord.LoginFailure):
        return "Discord does not accept DISCORD_BOT_TOKEN"
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return "the Message Content intent is off in the application's settings"
    if isinstance(error, discord.Forbidden):
        return f"a permission is missing ({error.text})"
    if isinstance(error, discord.NotFound):
        return "DISCORD_CHANNEL_ID names no channel that the bot can see"
    return type(error).__name__
