"""The first run's `.env`: keys of this machine's own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

NAMES = ("SECRET_KEY", "JWT_SECRET_KEY", "EMAIL_HASH_KEY")
_BYTES = 48

_HEAD = """\
# Made by the first `make run`. Keep it: the keys sign what is out there and hash what is stored.
# What the environment says wins over this file. All settings: docs/configuration.md
"""
_TAIL = """\
# Development: static files from source, cookies without HTTPS. Off in production.
DEBUG=on

# A provider in place of the small model on this machine:
#GOOGLE_API_KEY=
#LLM_MODEL=openai/gpt-4o-mini
#LLM_API_KEY=

# Services in place of SQLite and Valkey on this machine:
#DATABASE_URL=postgres://user:password@localhost:5432/chatsite
#REDIS_URL=redis://localhost:6379/0

# Where it listens, and the websites that may call it:
#HOST=127.0.0.1
#PORT=8000
#CORS_ALLOWED_ORIGINS=https://www.example.com

# Conversations mirrored to Discord:
#DISCORD_ENABLED=on
#DISCORD_BOT_TOKEN=
#DISCORD_CHANNEL_ID=
"""


def ensure(path: Path, environment: Mapping[str, str]) -> bool:
    """Write `path` with the keys that `environment` lacks; says whether it was written.

    It is not where it exists or no key is missing, and never readable by others.
    """
    missing = [name for name in NAMES if not _is_set(name, environment)]
    if not missing:
        return False
    try:
        # O_EXCL: of two first runs at once, one writes.
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_text(missing))
    return True


def _is_set(name: str, environment: Mapping[str, str]) -> bool:
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def _text(names: list[str]) -> str:
    keys = "".join(f"{name}={secrets.token_urlsafe(_BYTES)}\n" for name in names)
    return f"{_HEAD}\n{keys}\n{_TAIL}"


if __name__ == "__main__":
    ensure(Path(".env"), os.environ)
