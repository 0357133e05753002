"""From a token to a live session, anew on every request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from chatsite.core.errors import Problem
from sessions_app import selectors, staff, tokens
from sessions_app.models import ChatSession

if TYPE_CHECKING:  # DRF imports this file while it imports its views
    from rest_framework.views import APIView

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="chatsite"'}


class Unauthorised(Problem):
    """The caller has no live session; `code` says why."""

    status = 401

    def __init__(self) -> None:
        super().__init__(headers=_CHALLENGE)


class InvalidToken(Unauthorised):
    code, title = "invalid_token", "The token is missing or not valid"


class SessionExpired(Unauthorised):
    code, title = "session_expired", "The session has expired; sign in again"


class SessionClosed(Unauthorised):
    code, title = "session_closed", "The session was ended; sign in again"


class VisitorAuthentication(BaseAuthentication):
    """Bearer tokens of visitors; `request.auth` is the session."""

    takes_settled = False

    def authenticate(self, request: Request) -> tuple[None, ChatSession] | None:
        """The live session of the token, or None without one; raises Unauthorised."""
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not raw:
            return None
        try:
            session_id = tokens.read(raw.strip())
        except ValueError as error:
            raise InvalidToken from error
        return None, live_session(session_id, or_settled=self.takes_settled)

    def authenticate_header(self, request: Request) -> str:
        """The challenge that makes DRF answer 401 where there is no token."""
        return _CHALLENGE["WWW-Authenticate"]


class ReturningVisitorAuthentication(VisitorAuthentication):
    """The same for asking, which opens a conversation again that staff closed as settled."""

    takes_settled = True


class IsVisitor(BasePermission):
    """Callers with a live session."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether there is one; raises InvalidToken where there is none."""
        if not isinstance(request.auth, ChatSession):
            raise InvalidToken
        return True


def visitor(request: Request) -> ChatSession:
    """The session of a request that IsVisitor let through."""
    assert isinstance(request.auth, ChatSession)
    return request.auth


def live_session(session_id: str, *, or_settled: bool = False) -> ChatSession:
    """The session, if it is open, or with `or_settled` closed by staff; raises Unauthorised."""
    session = selectors.find(session_id)
    if session is None:
        raise InvalidToken
    is_settled = or_settled and session.closed_by.startswith(staff.SETTLED)
    if not session.is_active and not is_settled:
        raise SessionExpired if session.closed_by == "expiry" else SessionClosed
    if selectors.has_expired(session):
        raise SessionExpired
    return session
