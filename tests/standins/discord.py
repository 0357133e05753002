"""Discord on loopback: REST and gateway, a script of faults, judged by Discord's own schema."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standins import discord_shapes as shapes
from tests.standins import discord_spec
from tests.standins.discord_gateway import Gateway
from tests.standins.discord_routes import ROUTES

TOKEN = "stand-in-token"
MODERATOR_ROLE = "900000000000000001"
_NONCE_SECONDS = 300.0
_ALL_PERMISSIONS = (1 << 40) - 1


@dataclass(slots=True)
class Fault:
    """What goes wrong with requests whose `METHOD path` matches."""

    pattern: str
    status: int = 0
    code: int = 0
    every: int = 1  # each n-th matching request
    times: int = 10**9
    retry_after: float = 0.0
    via: bool = True
    cut: bool = False  # the connection, after the request took effect
    delay: float = 0.0
    hold: float = 0.0  # seconds between the effect and the answer
    seen: int = 0

    def strikes(self, request: str) -> bool:
        """Count a request; whether this one is struck."""
        if not re.search(self.pattern, request) or self.times <= 0:
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.times -= 1
        return True


@dataclass
class Discord:
    """The server; start it, use its world, look at what it holds."""

    guild_id: str = field(default_factory=shapes.snowflake)
    channel_id: str = field(default_factory=shapes.snowflake)
    flags: int = 1 << 19  # the limited message-content intent
    remembers_nonces: bool = True

    def __post_init__(self) -> None:
        self.me = shapes.user(shapes.snowflake(), "chatsite", bot=True)
        self.bot_roles = ["900000000000000002"]
        self.roles = [
            shapes.role(self.guild_id, "@everyone", 0x400 | 0x800 | 0x10000),
            shapes.role(MODERATOR_ROLE, "Moderators", 0),
            shapes.role("900000000000000002", "Chatsite", _ALL_PERMISSIONS),
        ]
        self.channels = {self.channel_id: shapes.channel(self.channel_id, self.guild_id, "support")}
        self.messages: dict[str, list[dict[str, Any]]] = {self.channel_id: []}
        self.members: dict[str, dict[str, Any]] = {
            self.me["id"]: shapes.member(self.me, self.bot_roles)
        }
        self.reactions: list[tuple[str, str]] = []
        self.commands: list[dict[str, Any]] = []
        self.callbacks: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[tuple[float, str, str, Any]] = []
        self.invalid: list[str] = []
        self.faults: list[Fault] = []
        self.is_down = False
        self.gateway = Gateway(self)
        self._nonces: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._spec = discord_spec.shared() if discord_spec.is_there() else None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="discord-stand-in")
        self.port = 0

    # --- the world, for tests ---------------------------------------------------------------------
    def start(self, port: int = 0) -> Discord:
        """Listen on loopback."""
        self.port = port
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def stop(self) -> None:
        """Stop listening."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def api_base(self) -> str:
        """DISCORD_API_BASE."""
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """DISCORD_GATEWAY_URL."""
        return f"ws://127.0.0.1:{self.port}/gateway"

    @property
    def threads(self) -> dict[str, dict[str, Any]]:
        """The threads that there are, by id."""
        return {key: one for key, one in self.channels.items() if one["type"] == 11}

    def fault(self, pattern: str, **how: Any) -> Fault:
        """Script a fault."""
        made = Fault(pattern, **how)
        self.faults.append(made)
        return made

    def delete_thread(self, thread_id: str) -> None:
        """As a person does by hand: the opening message stays."""
        del self.channels[thread_id], self.messages[thread_id]

    def call(self, act: Any) -> Any:
        """Await a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(10)

    def write(
        self,
        channel_id: str,
        author: dict[str, Any],
        content: str,
        *,
        roles: list[str] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Somebody writes; the gateway tells of it where a bot is there."""
        made = {**shapes.message(channel_id, author, {"content": content}), **more}
        self.messages[channel_id].append(made)
        self.channels[channel_id]["last_message_id"] = made["id"]
        whole = shapes.member(author, roles or [])
        self.members[author["id"]] = dict(whole)
        del whole["user"]
        self.tell("MESSAGE_CREATE", {**made, "guild_id": self.guild_id, "member": whole})
        return made

    def tell(self, event: str, data: dict[str, Any]) -> None:
        """Dispatch an event to every bot that is connected."""
        self.call(self.gateway.dispatch(event, data))

    # --- the server -------------------------------------------------------------------------------
    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()

    async def _open(self) -> None:
        app = web.Application(client_max_size=20 * 2**20)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_route("*", "/api/v10/{path:.*}", self._request)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        await self.gateway.close()
        await self._runner.cleanup()

    async def _request(self, request: web.Request) -> web.StreamResponse:
        method, path = request.method, f"/{request.match_info['path']}"
        body = await _body(request)
        query = dict(request.query)
        self.requests.append((time.time(), method, path, body))
        if self._spec:
            self.invalid += self._spec.request(method, path, query, body)
        else:
            self.invalid += discord_spec.unwritten(path, body)
        if self.is_down:
            return _text(503, "down")
        struck = next((one for one in self.faults if one.strikes(f"{method} {path}")), None)
        if struck and struck.delay:
            await asyncio.sleep(struck.delay)
        if struck and struck.status == 429:
            return _limited(struck)
        if struck and struck.status:
            return self._json(
                method, path, struck.status, {"code": struck.code, "message": "scripted"}
            )
        answer = self._answer(request, method, path, query, body)
        if struck and struck.hold:
            await asyncio.sleep(struck.hold)
        if struck and struck.cut:
            assert request.transport
            request.transport.abort()
        return answer

    def _answer(
        self, request: web.Request, method: str, path: str, query: dict[str, str], body: Any
    ) -> web.Response:
        is_interaction = path.startswith(("/interactions/", "/webhooks/"))
        if not is_interaction and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return self._json(method, path, 401, {"code": 0, "message": "401: Unauthorized"})
        try:
            status, found = ROUTES.find(self, method, path, query, body)
        except shapes.Denied as denied:
            return self._json(method, path, denied.status, denied.body)
        return self._json(method, path, status, found)

    def _json(self, method: str, path: str, status: int, body: Any) -> web.Response:
        if self._spec:
            self.invalid += self._spec.answer(method, path, status, body)
        if status == 204:
            return web.Response(status=204)
        # discord.py parses a body only where the type is exactly this, without a charset.
        return web.Response(
            status=status,
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Via": "1.1 stand-in"},
        )

    def remember(self, channel_id: str, body: dict[str, Any], made: dict[str, Any]) -> None:
        """Keep a nonce as long as Discord does."""
        if body.get("enforce_nonce") and body.get("nonce"):
            self._nonces[channel_id, str(body["nonce"])] = (time.monotonic(), made)

    def known(self, channel_id: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The message that this nonce made lately."""
        when, made = self._nonces.get((channel_id, str(body.get("nonce"))), (0.0, None))
        fresh = time.monotonic() - when < _NONCE_SECONDS and self.remembers_nonces
        return made if fresh and body.get("enforce_nonce") else None


def _limited(fault: Fault) -> web.Response:
    headers = {"Retry-After": str(max(1, round(fault.retry_after)))}
    if not fault.via:
        return web.Response(status=429, text="<html>slow down</html>", headers=headers)
    body = {"message": "limited", "retry_after": fault.retry_after, "global": False, "code": 0}
    return web.Response(
        status=429,
        body=json.dumps(body).encode(),
        headers={**headers, "Content-Type": "application/json", "Via": "1.1 stand-in"},
    )


def _text(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text)


async def _body(request: web.Request) -> Any:
    if request.content_type == "multipart/form-data":
        form = await request.post()
        return json.loads(str(form["payload_json"]))
    raw = await request.read()
    return json.loads(raw) if raw else None
