"""A guild in a simulated Discord (simcord): a conversation's thread, moderators, the bot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import discord
import simcord

from chat_app.models import ChatMessage, MessageType
from notifications.embeds import Said
from notifications.models import DiscordThread
from sessions_app.models import ChatSession
from tests.notifications.conftest import beside
from tests.standins import discord_spec
from tests.support import open_session


def environment() -> Any:
    """A Discord within this process.

    What it comes from is imported with this module, before any thread runs: pytest rewrites it by
    Python's parser, which on 3.11 fails where two threads use it at once (python/cpython#106905).
    """
    return simcord.Env(discord.Client(intents=discord.Intents.default()))


@dataclass
class Scene:
    """A guild with a conversation's thread, a moderator and a stranger."""

    env: Any
    guild: Any
    channel: Any
    thread: Any
    card: Any
    dana: Any
    eve: Any
    session: ChatSession
    bot: Any

    async def db(self, act: Callable[[], Any]) -> Any:
        return await beside(act)

    async def said(self) -> list[str]:
        rows = ChatMessage.objects.filter(
            session=self.session, message_type=MessageType.STAFF, deleted_at=None
        ).order_by("seq")
        return await self.db(lambda: list(rows.values_list("content", flat=True)))

    async def responder(self) -> str:
        return await self.db(lambda: ChatSession.objects.get(pk=self.session.pk).responder)

    async def mirrored(self, text: str) -> Any:
        """The message by which the mirror shows what staff said, with its buttons."""
        from notifications import embeds
        from notifications.discord_client import view

        row = await self.db(lambda: ChatMessage.objects.get(content=text))
        said = Said(row.seq, row.pk, "staff", row.content, row.timestamp)
        (post,) = embeds.message(said)
        real = self.bot.get_channel(self.thread.id)
        embed = discord.Embed.from_dict(post.embed)
        return await real.send(embed=embed, view=view(post.buttons))


async def staged(env: Any, settings: Any) -> Scene:
    from notifications import embeds, jobs
    from notifications.discord_bot.client import Bot
    from notifications.discord_client import view

    settings.DISCORD_ENABLED = True
    settings.DISCORD_BOT_TOKEN = "x"
    session = await beside(open_session)
    guild = env.create_guild()
    channel = guild.create_text_channel("support")
    role = guild.create_role("Moderators")
    settings.DISCORD_CHANNEL_ID = str(channel.id)
    settings.DISCORD_MODERATOR_ROLE_IDS = [str(role.id)]
    dana = guild.add_member(env.create_user("dana"), roles=[role])
    eve = guild.add_member(env.create_user("eve"))
    bot = Bot()
    await env.restart_bot(bot)
    post = embeds.card(await beside(jobs.card, session))
    real = bot.get_channel(channel.id)
    card = await real.send(embed=discord.Embed.from_dict(post.embed), view=view(post.buttons))
    made = await card.create_thread(name="Session")
    await beside(
        DiscordThread.objects.create,
        session=session,
        thread_id=str(made.id),
        message_id=str(card.id),
    )
    await env.settle()
    (thread,) = channel.threads
    return Scene(env, guild, channel, thread, card, dana, eve, session, bot)


def judge(env: Any) -> None:
    """All that the bot sent is valid, and none of it may ping."""
    if not discord_spec.is_there():
        return
    spec = discord_spec.shared()
    wrong = [
        why
        for one in env.http_requests
        for why in spec.request(
            one.method, one.path, {k: str(v) for k, v in (one.params or {}).items()}, one.json
        )
    ]
    assert not wrong, "\n".join(wrong)
