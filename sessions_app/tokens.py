"""Visitors' tokens: a signature over a session's id, and nothing else."""

from __future__ import annotations

import re
from typing import Any

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from sessions_app import keyring
from sessions_app.models import ChatSession

# A token of ours has about 400 characters; longer ones are not worth decoding.
_MOST_CHARACTERS = 1024
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{32}")  # models.new_session_id


class VisitorToken(AccessToken):
    """A token whose `jti` is the session; it carries no user."""

    token_type = "visitor"  # noqa: S105  (a kind, not a secret)

    def get_token_backend(self) -> keyring.KeyRing:
        """What signs and verifies."""
        return keyring.current()


def issue(session: ChatSession) -> str:
    """The session's token, which expires when the session does."""
    token: Any = VisitorToken()
    token["jti"] = session.id
    token["exp"] = int(session.expires_at.timestamp())
    return str(token)


def read(raw: str) -> str:
    """The id of the session that the token names; raises ValueError where it is not ours."""
    if len(raw) > _MOST_CHARACTERS:
        raise ValueError("too long")
    try:
        found: Any = VisitorToken(raw)  # type: ignore[arg-type]
    except TokenError as error:
        raise ValueError(str(error)) from error
    session = found.payload.get("jti")
    if not (isinstance(session, str) and _SESSION_ID.fullmatch(session)):
        raise ValueError("no session")
    return session
