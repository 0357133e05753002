"""What the stand-in answers to each call: the part of Discord's REST API that a bot like ours uses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.standins import discord_shapes as shapes

Handler = Callable[..., tuple[int, Any]]


class Routes:
    """Paths with their handlers."""

    def __init__(self) -> None:
        self._known: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Register a handler for a path with `{name}` parts."""

        def register(handler: Handler) -> Handler:
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
            self._known.append((method, pattern, handler))
            return handler

        return register

    def find(
        self, world: Any, method: str, path: str, query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        """Answer a request."""
        for known, pattern, handler in self._known:
            if known == method and (found := pattern.fullmatch(path)):
                return handler(world, query, body, **found.groupdict())
        raise shapes.Denied(404, 0, f"404: Not Found {method} {path}")


ROUTES = Routes()
route = ROUTES.add


def _channel(world: Any, channel: str) -> dict[str, Any]:
    if channel not in world.channels:
        raise shapes.Denied(404, 10003, "Unknown Channel")
    return world.channels[channel]


def _message(world: Any, channel: str, message: str) -> dict[str, Any]:
    _channel(world, channel)
    for one in world.messages[channel]:
        if one["id"] == message:
            return one
    raise shapes.Denied(404, 10008, "Unknown Message")


@route("GET", "/users/@me")
def me(world: Any, query: Any, body: Any) -> tuple[int, Any]:
    return 200, {**world.me, "mfa_enabled": False, "locale": "en-US"}


@route("GET", "/oauth2/applications/@me")
def application(world: Any, query: Any, body: Any) -> tuple[int, Any]:
    return 200, shapes.application(world.me["id"], world.me, world.flags)


@route("GET", "/guilds/{guild}")
def guild(world: Any, query: Any, body: Any, guild: str) -> tuple[int, Any]:
    return 200, world.gateway.guild()


@route("GET", "/guilds/{guild}/roles")
def roles(world: Any, query: Any, body: Any, guild: str) -> tuple[int, Any]:
    return 200, world.roles


@route("GET", "/guilds/{guild}/members/{user}")
def member(world: Any, query: Any, body: Any, guild: str, user: str) -> tuple[int, Any]:
    if user not in world.members:
        raise shapes.Denied(404, 10007, "Unknown Member")
    return 200, world.members[user]


@route("GET", "/guilds/{guild}/threads/active")
def active(world: Any, query: Any, body: Any, guild: str) -> tuple[int, Any]:
    return 200, {"threads": list(world.threads.values()), "members": [], "has_more": False}


@route("PUT", "/applications/{app}/guilds/{guild}/commands")
def commands(world: Any, query: Any, body: Any, app: str, guild: str) -> tuple[int, Any]:
    world.commands = [
        {
            "id": shapes.snowflake(),
            "application_id": app,
            "guild_id": guild,
            "version": shapes.snowflake(),
            "default_member_permissions": None,
            "type": 1,
            "description": "",
            **command,
        }
        for command in body
    ]
    return 200, [_slim(command) for command in world.commands]


def _slim(command: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in command.items() if value is not None or "default" in key}


@route("GET", "/channels/{channel}")
def get_channel(world: Any, query: Any, body: Any, channel: str) -> tuple[int, Any]:
    return 200, _channel(world, channel)


@route("PATCH", "/channels/{channel}")
def edit_channel(world: Any, query: Any, body: Any, channel: str) -> tuple[int, Any]:
    found = _channel(world, channel)
    for key in {"archived", "locked"} & body.keys():
        found["thread_metadata"][key] = body[key]
    return 200, found


@route("POST", "/channels/{channel}/messages")
def create(world: Any, query: Any, body: Any, channel: str) -> tuple[int, Any]:
    found = _channel(world, channel)
    metadata = found.get("thread_metadata", {})
    if metadata.get("locked"):
        raise shapes.Denied(403, 160005, "Thread is locked")
    if metadata.get("archived"):
        raise shapes.Denied(400, 50083, "Thread is archived")
    if known := world.known(channel, body):
        return 200, known
    made = shapes.message(channel, world.me, body)
    world.messages[channel].append(made)
    found["last_message_id"] = made["id"]
    world.remember(channel, body, made)
    return 200, made


@route("GET", "/channels/{channel}/messages")
def history(world: Any, query: Any, body: Any, channel: str) -> tuple[int, Any]:
    _channel(world, channel)
    found = sorted(world.messages[channel], key=lambda one: -int(one["id"]))
    limit = int(query.get("limit", 50))
    if "before" in query:
        found = [one for one in found if int(one["id"]) < int(query["before"])]
    if "after" in query:
        found = [one for one in found if int(one["id"]) > int(query["after"])][-limit:]
    return 200, found[:limit]


@route("GET", "/channels/{channel}/messages/{message}")
def get_message(world: Any, query: Any, body: Any, channel: str, message: str) -> tuple[int, Any]:
    return 200, _message(world, channel, message)


@route("PATCH", "/channels/{channel}/messages/{message}")
def edit(world: Any, query: Any, body: Any, channel: str, message: str) -> tuple[int, Any]:
    found = _message(world, channel, message)
    given = shapes.said(body)
    found.update({key: given[key] for key in given.keys() & body.keys()})
    found["edited_timestamp"] = shapes.now()
    return 200, found


@route("DELETE", "/channels/{channel}/messages/{message}")
def delete(world: Any, query: Any, body: Any, channel: str, message: str) -> tuple[int, Any]:
    world.messages[channel].remove(_message(world, channel, message))
    return 204, None


@route("POST", "/channels/{channel}/messages/{message}/threads")
def start(world: Any, query: Any, body: Any, channel: str, message: str) -> tuple[int, Any]:
    found = _message(world, channel, message)
    if message in world.channels:
        raise shapes.Denied(400, 160004, "A thread has already been created for this message")
    made = shapes.thread(found, world.guild_id, world.me["id"], body)
    world.channels[made["id"]] = made
    world.messages[made["id"]] = []
    world.gateway.told("THREAD_CREATE", {**made, "newly_created": True})
    return 201, made


@route("PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me")
def react(
    world: Any, query: Any, body: Any, channel: str, message: str, emoji: str
) -> tuple[int, Any]:
    _message(world, channel, message)
    world.reactions.append((message, emoji))
    return 204, None


@route("POST", "/interactions/{interaction}/{token}/callback")
def callback(world: Any, query: Any, body: Any, interaction: str, token: str) -> tuple[int, Any]:
    if any(known == interaction for known, _ in world.callbacks):
        raise shapes.Denied(400, 40060, "Interaction has already been acknowledged.")
    world.callbacks.append((interaction, body))
    if query.get("with_response") not in {"true", "1"}:
        return 204, None
    deferred = body["type"] in {5, 6}
    told = {"id": interaction, "type": 2, "response_message_loading": deferred}
    return 200, {"interaction": told}


@route("POST", "/webhooks/{app}/{token}")
def follow_up(world: Any, query: Any, body: Any, app: str, token: str) -> tuple[int, Any]:
    made = shapes.message(world.channel_id, world.me, body)
    world.callbacks.append((f"follow-up {token}", body))
    return 200, made


@route("PATCH", "/webhooks/{app}/{token}/messages/@original")
def edit_original(world: Any, query: Any, body: Any, app: str, token: str) -> tuple[int, Any]:
    world.callbacks.append((f"edit {token}", body))
    return 200, shapes.message(world.channel_id, world.me, body)
