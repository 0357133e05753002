"""A conversation in Discord's stand-in, with the bot that listens to its gateway."""

from __future__ import annotations

import asyncio
from typing import Any

from chat_app.models import ChatMessage, MessageType
from tests.notifications.conftest import beside
from tests.standins import discord_shapes as shapes
from tests.standins.discord import MODERATOR_ROLE
from tests.waiting import wait_until

DANA = shapes.user("1000000000000000001", "dana")
EVE = shapes.user("1000000000000000002", "eve")


class Moderated:
    """A conversation in Discord, with a bot that listens."""

    def __init__(self, server: Any, session: Any, bot: Any) -> None:
        self.server, self.session, self.bot = server, session, bot
        self.thread_id = self.card_id = ""

    async def off(self, act: Any, *args: Any, **options: Any) -> Any:
        """Run a synchronous function beside the loop."""
        return await beside(act, *args, **options)

    async def command(
        self, name: str, who: Any = DANA, *, roles: Any = (MODERATOR_ROLE,), **o: Any
    ):
        """Somebody uses a slash command in the thread; what the gateway said."""
        data = {
            "id": shapes.snowflake(),
            "name": name,
            "type": 1,
            "options": [{"name": k, "type": 3, "value": v} for k, v in o.items()],
        }
        return await self.interact(2, data, who, roles)

    async def interact(self, kind: int, data: Any, who: Any, roles: Any, **more: Any) -> Any:
        """An interaction."""
        thread = self.server.channels[self.thread_id]
        member = {**shapes.member(who, list(roles)), "permissions": "0"}
        packet = {
            "id": shapes.snowflake(),
            "application_id": self.server.me["id"],
            "type": kind,
            "data": data,
            "guild_id": self.server.guild_id,
            "channel_id": self.thread_id,
            "channel": {**thread, "permissions": "0"},
            "member": member,
            "token": f"token{shapes.snowflake()}",
            "version": 1,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "0",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "context": 0,
            "attachment_size_limit": 10485760,
            **more,
        }
        await self.off(self.server.tell, "INTERACTION_CREATE", packet)
        return packet

    async def answered(self, packet: Any) -> Any:
        """The bot's answer to an interaction."""

        def find() -> Any:
            return next((b for i, b in self.server.callbacks if i == packet["id"]), None)

        return await self.off(wait_until, find)

    async def speaks(self, text: str, who: Any = DANA) -> Any:
        """A moderator writes in the thread, and it has reached the visitor."""
        written = await self.off(
            self.server.write, self.thread_id, who, text, roles=[MODERATOR_ROLE]
        )
        await self.off(wait_until, lambda: (written["id"], "✅") in self.server.reactions)
        return written

    async def said(self) -> list[str]:
        """What staff said to the visitor."""
        rows = ChatMessage.objects.filter(message_type=MessageType.STAFF, deleted_at=None)
        return await self.off(lambda: list(rows.order_by("seq").values_list("content", flat=True)))


class listening:  # noqa: N801  (reads as a context)
    """A bot that is connected."""

    def __init__(self, found: Moderated) -> None:
        self._found = found

    async def __aenter__(self) -> None:
        from notifications.discord_bot.client import Bot

        self._bot = self._found.bot = Bot(guild_ready_timeout=0.05)
        token = "stand-in-token"
        self._task = asyncio.create_task(self._bot.start(token))
        await asyncio.wait(
            {asyncio.create_task(self._ready()), self._task},
            timeout=10,
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert not self._task.done(), self._task.exception()

    async def _ready(self) -> None:
        while not self._bot.is_ready():
            await asyncio.sleep(0.01)
        while self._bot._catching_up is None:
            await asyncio.sleep(0.01)
        await self._bot._catching_up

    async def __aexit__(self, *_: object) -> None:
        await self._bot.close()
        await asyncio.gather(self._task, return_exceptions=True)
