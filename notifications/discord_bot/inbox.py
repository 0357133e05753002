"""What people write, edit and delete in the threads; after an absence, what was missed."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord
import structlog
from django.conf import settings

from chat_app import writing
from chatsite.core.errors import Problem
from notifications import moderation, threads
from notifications.database import Database
from notifications.discord_bot import access
from notifications.discord_client import NO_MENTIONS
from sessions_app.audit import Actor

log = structlog.get_logger(__name__)

T = TypeVar("T")

_MOST_MISSED = 1000
_LOOK_BACK = 100
_RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
_KINDS = frozenset({discord.MessageType.default, discord.MessageType.reply})
_ONLY_TEXT = "⚠️ Not sent: only text reaches the visitor."


class Inbox:
    """Messages of people, thread by thread in their order, each of which takes effect once."""

    def __init__(self, client: discord.Client, database: Database) -> None:
        self._client, self._database = client, database
        self._turns: weakref.WeakValueDictionary[int, asyncio.Lock] = weakref.WeakValueDictionary()

    async def wrote(self, message: discord.Message) -> None:
        """Deal with a message as it comes."""
        if self._is_persons(message):
            async with self._turn(message.channel.id):
                await self._deal_with(message)

    async def typing(self, payload: discord.RawTypingEvent) -> None:
        """Show the visitor that a moderator is writing to them."""
        person, channel_id = payload.user, str(payload.channel_id)
        if not isinstance(person, discord.Member) or not self._is_moderators(person):
            return
        if writing.is_due("discord", channel_id):
            await self._database(moderation.writing_in, channel_id=channel_id)

    async def edited(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Correct what was said by a message that was edited."""
        message = payload.message
        if message.author.bot or not message.edited_at:
            return
        if taken := await self._source(payload.message_id):
            async with self._turn(payload.channel_id):
                await self._correct(taken, message)

    async def deleted(self, message_ids: set[int], *, channel_id: int) -> None:
        """Take back what was said by a message, or stands in an embed, that was deleted."""
        for message_id in sorted(message_ids):
            taken = await self._source(message_id) or await self._patiently(
                lambda number=message_id: self._database(  # type: ignore[misc]
                    moderation.mirrored, channel_id=channel_id, discord_id=number
                )
            )
            if taken:
                await self._take_back(taken)

    async def catch_up(self) -> None:
        """Deal with what was written, edited and deleted while nobody listened."""
        seen = await self._patiently(lambda: self._database(threads.last_seen))
        for thread_id, last in seen.items():
            try:
                async with self._turn(int(thread_id)):
                    await self._patiently(
                        lambda t=thread_id, m=last: self._catch_up(int(t), int(m))  # type: ignore[misc]
                    )
            except discord.HTTPException as error:
                # A thread deleted by hand is the mirror's to find.
                log.info("thread was not read", thread=thread_id, code=error.code)

    async def _catch_up(self, thread_id: int, last: int) -> None:
        cached = self._client.get_channel(thread_id)
        is_quiet = isinstance(cached, discord.Thread) and (cached.last_message_id or 0) <= last
        channel = self._client.get_partial_messageable(thread_id)
        if not is_quiet:
            after = discord.Object(last)
            async for message in channel.history(
                limit=_MOST_MISSED, after=after, oldest_first=True
            ):
                if not message.author.bot and not message.webhook_id:
                    await self._deal_with(message)
        await self._catch_corrections(thread_id, channel)

    async def _catch_corrections(self, thread_id: int, channel: discord.PartialMessageable) -> None:
        known = await self._database(threads.recent_sources, thread_id=str(thread_id))
        if not known:
            return
        page = {message.id: message async for message in channel.history(limit=_LOOK_BACK)}
        oldest = min(page, default=0) if len(page) == _LOOK_BACK else 0
        for number, (session_id, message_id, text) in known.items():
            if number in page and page[number].content != text:
                await self._correct((session_id, message_id), page[number])
            elif number not in page and number >= oldest:
                await self._take_back((session_id, message_id))

    async def _deal_with(self, message: discord.Message) -> None:
        """Say it to the visitor where that is the mode, then remember having seen it.

        A database that is away is waited for: what comes after in the thread comes after.
        """
        thread_id = str(message.channel.id)
        if settings.DISCORD_REPLY_MODE == "every_message" and await self._patiently(
            lambda: self._may_act(message)
        ):
            said = await self._patiently(lambda: self._say(message, thread_id))
            await self._mark(message, said)
        await self._patiently(
            lambda: self._database(threads.saw, thread_id=thread_id, message_id=message.id)
        )

    async def _say(self, message: discord.Message, thread_id: str) -> str | None:
        key = moderation.message_key(message.id)
        actor = access.actor(message.author)

        def say() -> str | None:
            session_id = moderation.find_session(channel_id=thread_id)
            if session_id is None:
                return None
            return moderation.once(
                key=key,
                session_id=session_id,
                act=lambda: moderation.reply(
                    session_id=session_id,
                    text=message.content,
                    actor=actor,
                    key=key,
                    thread_id=thread_id,
                ),
            )

        try:
            return await self._database(say) if message.content.strip() else _ONLY_TEXT
        except Problem as problem:
            return f"⚠️ Not sent: {problem.detail}"

    async def _mark(self, message: discord.Message, said: str | None) -> None:
        """✅ on what was delivered, a reason under what was not; nothing on a replay."""
        try:
            if said and said.startswith("✅"):
                await message.add_reaction("✅")
            elif said:
                await message.channel.send(
                    said, nonce=f"why-{message.id:x}"[:25], allowed_mentions=NO_MENTIONS
                )
        except discord.HTTPException as error:
            log.warning("moderator was not told", code=error.code)

    async def _correct(self, taken: tuple[str, str], message: discord.Message) -> None:
        session_id, message_id = taken
        actor = access.actor(message.author)
        # Who was a moderator when they wrote it may be none any more.
        if not await self._patiently(lambda: self._may_act(message)):
            return
        await self._quietly(
            lambda: self._database(
                moderation.edit,
                session_id=session_id,
                message_id=message_id,
                text=message.content,
                actor=actor,
            )
        )

    async def _take_back(self, taken: tuple[str, str]) -> None:
        session_id, message_id = taken
        nobody = Actor("discord", "", "a moderator")
        await self._quietly(
            lambda: self._database(
                moderation.delete, session_id=session_id, message_id=message_id, actor=nobody
            )
        )

    async def _source(self, message_id: int) -> tuple[str, str] | None:
        return await self._patiently(
            lambda: self._database(moderation.source_of, message_id=message_id)
        )

    async def _may_act(self, message: discord.Message) -> bool:
        """Whether the author is a moderator; Discord's history does not tell their roles."""
        person = message.author
        guild = self._client.get_guild(message.guild.id) if message.guild else None
        if guild is None and (parent := self._parent()):
            guild = parent.guild
        if not isinstance(person, discord.Member) and guild:
            try:
                person = await guild.fetch_member(person.id)
            except discord.NotFound:
                return False
        return isinstance(person, discord.Member) and self._is_moderators(person)

    def _is_moderators(self, person: discord.Member) -> bool:
        parent = self._parent()
        allowed = parent.permissions_for(person) if parent else discord.Permissions.none()
        return access.may_act(person, allowed)

    def _parent(self) -> discord.TextChannel | None:
        found = self._client.get_channel(int(settings.DISCORD_CHANNEL_ID))
        return found if isinstance(found, discord.TextChannel) else None

    def _is_persons(self, message: discord.Message) -> bool:
        """Whether a person wrote it in what is, or for all the cache knows may be, our thread."""
        if message.author.bot or message.webhook_id:
            return False
        channel = message.channel
        if isinstance(channel, discord.Thread):
            is_here = str(channel.parent_id) == settings.DISCORD_CHANNEL_ID
        else:
            is_here = isinstance(channel, discord.PartialMessageable)
        return is_here and message.type in _KINDS

    def _turn(self, channel_id: int) -> asyncio.Lock:
        return self._turns.setdefault(channel_id, asyncio.Lock())

    async def _quietly(self, work: Callable[[], Awaitable[str]]) -> None:
        try:
            await self._patiently(work)
        except Problem as problem:
            log.info("a correction was not taken", reason=problem.code)

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, however long the database or Discord is away; a refusal comes through."""
        tries = 0
        while True:
            try:
                return await work()
            except Exception as error:  # the event's edge: what is given up here is lost
                if _is_final(error):
                    raise
                wait = _RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)]
                log.warning("inbox waits", error=type(error).__name__, seconds=wait)
                tries += 1
                await asyncio.sleep(wait)


def _is_final(error: Exception) -> bool:
    """Whether asking again would not help: our own refusal, or one of Discord's."""
    if isinstance(error, discord.HTTPException):
        return error.status < 500 and error.status != 429
    return isinstance(error, Problem)
