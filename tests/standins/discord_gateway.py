"""The stand-in's gateway: hello, identify, resume, heartbeats, dispatch."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

_HEARTBEAT_MS = 20_000
_MESSAGE_CONTENT = 1 << 15


class Gateway:
    """Bots that are connected, and what they are told."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._sockets: dict[web.WebSocketResponse, int] = {}
        self._history: list[dict[str, Any]] = []
        self.identified: list[dict[str, Any]] = []
        self.resumed = 0
        self.refuse = 0  # a close code for those who identify, 4004 or 4014

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One bot's connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": _HEARTBEAT_MS}})
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await self._heard(socket, json.loads(message.data))
        self._sockets.pop(socket, None)
        return socket

    async def dispatch(self, event: str, data: dict[str, Any]) -> None:
        """Tell every bot."""
        packet = {"op": 0, "t": event, "s": len(self._history) + 2, "d": data}
        self._history.append(packet)
        for socket in list(self._sockets):
            await socket.send_json(packet)

    def told(self, event: str, data: dict[str, Any]) -> None:
        """Tell every bot, from the server's own loop."""
        self._task = asyncio.get_running_loop().create_task(self.dispatch(event, data))

    async def drop(self, *, forget: bool = False) -> None:
        """Cut every connection; with `forget` nothing of the past can be resumed."""
        if forget:
            self._history.clear()
        for socket in list(self._sockets):
            await socket.close(code=4000)

    async def close(self) -> None:
        """End every connection."""
        await self.drop()

    def guild(self) -> dict[str, Any]:
        """The one guild."""
        world = self._world
        return {
            "id": world.guild_id,
            "name": "Guild",
            "icon": None,
            "owner_id": "1000000000000000009",
            "roles": world.roles,
            "emojis": [],
            "features": [],
            "premium_tier": 0,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "system_channel_flags": 0,
            "preferred_locale": "en-US",
            "afk_timeout": 300,
            "stickers": [],
        }

    async def _heard(self, socket: web.WebSocketResponse, packet: dict[str, Any]) -> None:
        if packet["op"] == 1:
            await socket.send_json({"op": 11})
        elif packet["op"] == 2:
            await self._identify(socket, packet["d"])
        elif packet["op"] == 6:
            await self._resume(socket, packet["d"]["seq"])

    async def _identify(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.identified.append(data)
        wants_content = data["intents"] & _MESSAGE_CONTENT
        if self.refuse or (wants_content and not self._world.flags & (1 << 18 | 1 << 19)):
            await socket.close(code=self.refuse or 4014)
            return
        world = self._world
        ready = {
            "v": 10,
            "user": world.me,
            "session_id": "session",
            "resume_gateway_url": world.gateway_url,
            "guilds": [{"id": world.guild_id, "unavailable": True}],
            "application": {"id": world.me["id"], "flags": world.flags},
        }
        await socket.send_json({"op": 0, "t": "READY", "s": 1, "d": ready})
        whole = {
            **self.guild(),
            "unavailable": False,
            "member_count": 3,
            "large": False,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "channels": [one for one in world.channels.values() if one["type"] == 0],
            "threads": list(world.threads.values()),
            "members": [{**_member(world)}],
            "presences": [],
            "voice_states": [],
        }
        await socket.send_json({"op": 0, "t": "GUILD_CREATE", "s": 1, "d": whole})
        self._sockets[socket] = 0

    async def _resume(self, socket: web.WebSocketResponse, after: int) -> None:
        if not self._history:
            await socket.send_json({"op": 9, "d": False})
            return
        self.resumed += 1
        for packet in self._history:
            if packet["s"] > after:
                await socket.send_json(packet)
        await socket.send_json({"op": 0, "t": "RESUMED", "s": after, "d": {}})
        self._sockets[socket] = 0


def _member(world: Any) -> dict[str, Any]:
    from tests.standins import discord_shapes as shapes

    return shapes.member(world.me, world.bot_roles)
