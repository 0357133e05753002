"""The slash commands."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from chat_app import snippets
from notifications import embeds, inert, moderation
from notifications.database import Database
from notifications.discord_bot import access, answering
from notifications.discord_client import NO_MENTIONS, view

Check = Callable[[discord.Interaction], bool]
_Text = app_commands.Range[str, 1, 4000]
_DURATIONS = ("1h", "12h", "1d", "7d", "30d")


class Tree(app_commands.CommandTree[Any]):
    """The commands, for moderators only."""

    def __init__(self, client: discord.Client, *, is_allowed: Check) -> None:
        super().__init__(client)
        self._is_allowed = is_allowed

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Whether the person may act; if not they are told, and nothing happens."""
        if self._is_allowed(interaction):
            return True
        if interaction.type is not discord.InteractionType.autocomplete:
            await answering.say(interaction, denied())
        return False


async def denied() -> str:
    """What a person who may not act is told."""
    return "Only moderators may do this."


def add_all(tree: Tree, database: Database) -> None:
    """Register every command."""
    _conversation(tree, database)
    _blocking(tree, database)
    _transcript(tree, database)
    tree.add_command(_Snippets(database))


def _conversation(tree: Tree, database: Database) -> None:
    @tree.command(name="reply", description="Answer the visitor; this takes the conversation over.")
    @app_commands.describe(text="What the visitor reads.")
    async def reply(interaction: discord.Interaction, text: _Text) -> None:
        await answering.act(interaction, database, replying(interaction, text))

    @tree.command(name="takeover", description="Silence the AI in this conversation.")
    async def takeover(interaction: discord.Interaction) -> None:
        await answering.act(
            interaction, database, lambda s, a: moderation.take_over(session_id=s, actor=a)
        )

    @tree.command(name="handback", description="Let the AI answer again.")
    async def handback(interaction: discord.Interaction) -> None:
        await answering.act(
            interaction, database, lambda s, a: moderation.hand_back(session_id=s, actor=a)
        )

    @tree.command(name="close", description="Close the conversation as settled.")
    @app_commands.describe(text="A last word to the visitor.")
    async def close(interaction: discord.Interaction, text: _Text | None = None) -> None:
        await answering.act(
            interaction,
            database,
            lambda s, a: moderation.close(session_id=s, actor=a, text=text or ""),
        )

    @tree.command(name="reopen", description="Open a closed conversation again.")
    async def reopen(interaction: discord.Interaction) -> None:
        await answering.act(
            interaction, database, lambda s, a: moderation.reopen(session_id=s, actor=a)
        )


def replying(interaction: discord.Interaction, text: str) -> answering.Act:
    """The act of saying this to the visitor."""
    key = moderation.interaction_key(interaction.id)
    return lambda s, a: moderation.reply(session_id=s, text=text, actor=a, key=key)


def _blocking(tree: Tree, database: Database) -> None:
    @tree.command(name="block", description="End the session and keep this visitor out.")
    @app_commands.describe(duration="30m, 12h, 7d, 2w", reason="For your colleagues.")
    async def block(
        interaction: discord.Interaction, duration: str, reason: app_commands.Range[str, 1, 200]
    ) -> None:
        await answering.act(
            interaction,
            database,
            lambda s, a: moderation.block(session_id=s, duration=duration, reason=reason, actor=a),
        )

    @block.autocomplete("duration")
    async def durations(_: discord.Interaction, begun: str) -> list[app_commands.Choice[str]]:
        return [_choice(one) for one in _DURATIONS if one.startswith(begun)]

    @tree.command(name="unblock", description="Let this visitor in again.")
    async def unblock(interaction: discord.Interaction) -> None:
        await answering.act(
            interaction, database, lambda s, a: moderation.unblock(session_id=s, actor=a)
        )


def _transcript(tree: Tree, database: Database) -> None:
    @tree.command(name="transcript", description="Post the whole conversation as a file.")
    async def transcript(interaction: discord.Interaction) -> None:
        def load() -> tuple[str, str] | None:
            session_id = moderation.find_session(channel_id=interaction.channel_id or 0)
            actor = access.actor(interaction.user)
            return moderation.transcript(session_id=session_id, actor=actor) if session_id else None

        await interaction.response.defer(thinking=True)
        found = await database(load)
        if found is None:
            await interaction.edit_original_response(content=answering.NOT_HERE)
            return
        text, url = found
        file = _File(io.BytesIO(text.encode()), filename="transcript.txt")
        await interaction.edit_original_response(
            content="📄 The conversation so far.",
            attachments=[file],
            view=view([embeds.Button("Open in admin", url=url)]) if url else None,
            allowed_mentions=NO_MENTIONS,
        )


class _File(discord.File):
    """A file as Discord's description has it: with its number as text."""

    def to_dict(self, index: int) -> dict[str, Any]:
        """What is said of it beside its bytes."""
        return {**super().to_dict(index), "id": str(index)}


class _Snippets(app_commands.Group):
    """`/snippet send|add|remove|list`."""

    def __init__(self, database: Database) -> None:
        super().__init__(name="snippet", description="Canned replies.")
        self._database = database

    @app_commands.command(name="send", description="Answer the visitor with a canned reply.")
    async def send(self, interaction: discord.Interaction, name: str) -> None:
        """Say it."""
        key = moderation.interaction_key(interaction.id)
        await answering.act(
            interaction,
            self._database,
            lambda s, a: moderation.send_snippet(session_id=s, name=name, actor=a, key=key),
        )

    @app_commands.command(name="add", description="Keep a canned reply, or replace its text.")
    async def add(self, interaction: discord.Interaction, name: str, text: _Text) -> None:
        """Store it."""

        def store() -> str:
            actor = access.actor(interaction.user)
            is_new = snippets.store(name=name, text=text, actor=actor)
            return "✅ Kept." if is_new else "✅ Replaced."

        await answering.say(interaction, self._database(store))

    @app_commands.command(name="remove", description="Forget a canned reply.")
    async def remove(self, interaction: discord.Interaction, name: str) -> None:
        """Remove it."""

        def remove() -> str:
            snippets.remove(name=name, actor=access.actor(interaction.user))
            return "🗑️ Forgotten."

        await answering.say(interaction, self._database(remove))

    @app_commands.command(name="list", description="Show the canned replies.")
    async def every(self, interaction: discord.Interaction) -> None:
        """List them."""
        await answering.say(interaction, self._database(_listed))

    @send.autocomplete("name")
    @remove.autocomplete("name")
    async def _names(self, _: discord.Interaction, begun: str) -> list[app_commands.Choice[str]]:
        return [_choice(name) for name in await self._database(snippets.suggest, begun=begun)]


def _choice(text: str) -> app_commands.Choice[str]:
    return app_commands.Choice(name=text, value=text)


def _listed() -> str:
    lines = [f"**{one.name}** {inert.defuse(one.text)[:80]}" for one in snippets.every()]
    return "\n".join(lines) or "There are no snippets yet: /snippet add"
