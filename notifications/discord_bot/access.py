"""Who may act, and who they are."""

from __future__ import annotations

import discord
from django.conf import settings

from sessions_app.audit import Actor


def may_act(person: discord.User | discord.Member, permissions: discord.Permissions) -> bool:
    """Whether they hold a moderator's role, or may manage the channel; bots never may."""
    if person.bot or not isinstance(person, discord.Member):
        return False
    wanted = set(settings.DISCORD_MODERATOR_ROLE_IDS)
    return permissions.manage_channels or any(str(role.id) in wanted for role in person.roles)


def actor(person: discord.User | discord.Member | discord.Object | None) -> Actor:
    """The person, as audit entries name them."""
    if isinstance(person, discord.User | discord.Member):
        return Actor("discord", str(person.id), person.display_name)
    return Actor("discord", "", "a moderator")
