"""What Discord's objects look like on the wire."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from typing import Any

_count = itertools.count(1)
_EPOCH_MS = 1420070400000


class Denied(Exception):
    """An error with Discord's code."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.body = status, {"code": code, "message": text}


def snowflake() -> str:
    """A new id, of now."""
    return str(((int(time.time() * 1000) - _EPOCH_MS) << 22) | (next(_count) & 0x3FFFFF))


def now() -> str:
    """The time as Discord writes it."""
    return datetime.now(UTC).isoformat()


def user(user_id: str, name: str, *, bot: bool = False) -> dict[str, Any]:
    """A user."""
    found = {
        "id": user_id,
        "username": name,
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
        "global_name": name.title(),
        "primary_guild": None,
    }
    return {**found, "bot": True} if bot else found


def member(who: dict[str, Any], roles: list[str]) -> dict[str, Any]:
    """A user as a member of the guild."""
    return {
        "user": who,
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": now(),
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": roles,
        "mute": False,
        "deaf": False,
    }


def role(role_id: str, name: str, permissions: int) -> dict[str, Any]:
    """A role."""
    return {
        "id": role_id,
        "name": name,
        "permissions": str(permissions),
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def channel(channel_id: str, guild_id: str, name: str) -> dict[str, Any]:
    """A text channel."""
    return {
        "id": channel_id,
        "type": 0,
        "flags": 0,
        "guild_id": guild_id,
        "name": name,
        "position": 0,
        "permission_overwrites": [],
        "nsfw": False,
        "rate_limit_per_user": 0,
        "topic": None,
        "parent_id": None,
        "last_message_id": None,
    }


def thread(
    message: dict[str, Any], guild_id: str, owner: str, body: dict[str, Any]
) -> dict[str, Any]:
    """The thread of a message."""
    return {
        "id": message["id"],
        "type": 11,
        "flags": 0,
        "guild_id": guild_id,
        "parent_id": message["channel_id"],
        "name": body["name"],
        "owner_id": owner,
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "message_count": 0,
        "member_count": 1,
        "total_message_sent": 0,
        "thread_metadata": {
            "archived": False,
            "archive_timestamp": now(),
            "auto_archive_duration": body.get("auto_archive_duration", 1440),
            "locked": False,
        },
    }


def message(channel_id: str, author: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """A message made of the body of the request for it."""
    return {
        "id": snowflake(),
        "type": 0,
        "channel_id": channel_id,
        "author": author,
        "timestamp": now(),
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "edited_timestamp": None,
        "flags": 0,
        "pinned": False,
        "mention_everyone": False,
        "tts": False,
        **said(body),
    }


def said(body: dict[str, Any]) -> dict[str, Any]:
    """The parts of a message that its author gives."""
    numbers = itertools.count(1)
    rows = [
        {
            **row,
            "id": next(numbers),
            "components": [{**one, "id": next(numbers)} for one in row["components"]],
        }
        for row in body.get("components") or []
    ]
    return {
        "content": body.get("content") or "",
        "embeds": [{**embed, "type": "rich"} for embed in body.get("embeds") or []],
        "components": rows,
    }


def application(app_id: str, owner: dict[str, Any], flags: int) -> dict[str, Any]:
    """The bot's application."""
    return {
        "id": app_id,
        "name": "Chatsite",
        "icon": None,
        "description": "",
        "type": None,
        "verify_key": "0" * 64,
        "flags": flags,
        "flags_new": str(flags),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": owner,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
        "rpc_origins": [],
        "bot_public": True,
        "bot_require_code_grant": False,
        "summary": "",
    }
