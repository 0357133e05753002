"""What Discord itself says of the token, the channel, the permissions, the intent, the roles."""

from __future__ import annotations

from typing import Final

import discord
from django.conf import settings

from notifications import discord_client
from notifications.discord_client import DiscordError, translated

_NEEDED: Final = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "create_public_threads": "Create Public Threads",
    "send_messages_in_threads": "Send Messages in Threads",
    "manage_threads": "Manage Threads",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
    "add_reactions": "Add Reactions",
}


async def examine() -> tuple[list[str], list[str]]:
    """What is well, and what is wrong with how to repair it."""
    discord_client.configure(
        api_base=settings.DISCORD_API_BASE, gateway_url=settings.DISCORD_GATEWAY_URL
    )
    client = discord.Client(intents=discord.Intents.none())
    good: list[str] = []
    try:
        async with translated():
            await client.login(settings.DISCORD_BOT_TOKEN)
        good.append(f"token: the bot is {client.user}")
        return good, await _examine_guild(client, good) + _intent(client, good)
    except discord_client.ChannelGone:
        return good, ["DISCORD_CHANNEL_ID names no channel that the bot can see: invite it there."]
    except DiscordError as error:
        return good, [str(error)]
    finally:
        await client.close()


async def _examine_guild(client: discord.Client, good: list[str]) -> list[str]:
    number = int(settings.DISCORD_CHANNEL_ID)
    async with translated():
        found = await client.fetch_channel(number)
        if not isinstance(found, discord.TextChannel):
            return ["DISCORD_CHANNEL_ID is no text channel: it must be one."]
        # Once more with its guild: a client without a gateway knows no roles.
        guild = await client.fetch_guild(found.guild.id, with_counts=False)
        channel = await guild.fetch_channel(number)
        assert client.user
        me = await guild.fetch_member(client.user.id)
    good.append(f"channel: #{found.name} in {guild.name}")
    held = channel.permissions_for(me)
    missing = [name for flag, name in _NEEDED.items() if not getattr(held, flag)]
    if not missing:
        good.append(f"permissions: all {len(_NEEDED)}")
    faults = [f"permission missing in #{found.name}: {name}." for name in missing]
    return faults + _roles(guild, good)


def _roles(guild: discord.Guild, good: list[str]) -> list[str]:
    wanted = settings.DISCORD_MODERATOR_ROLE_IDS
    found = {role: guild.get_role(int(role)) for role in wanted}
    faults = [
        f"DISCORD_MODERATOR_ROLE_IDS: {guild.name} has no role {role}."
        for role, known in found.items()
        if known is None
    ]
    names = ", ".join(role.name for role in found.values() if role)
    good.append(f"roles: {names}" if names else "roles: only those who may manage the channel")
    return faults


def _intent(client: discord.Client, good: list[str]) -> list[str]:
    if settings.DISCORD_REPLY_MODE != "every_message":
        good.append("intents: none that need permission")
        return []
    flags = client.application_flags
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        good.append("intents: Message Content is on")
        return []
    return [
        "DISCORD_REPLY_MODE=every_message needs the Message Content intent: turn it on under Bot, "
        "Privileged Gateway Intents, in Discord's developer portal."
    ]
