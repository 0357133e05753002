"""`/auth`: a viewset for signing in, looking at one's session and ending it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from chatsite.core import client, ratelimit
from chatsite.core.errors import Forbidden, NotFound
from chatsite.core.viewsets import ViewSet, validated
from sessions_app import identity, services, tokens
from sessions_app.authentication import visitor
from sessions_app.models import ChatSession
from sessions_app.serializers import CodeIn, EmailIn


class BotSuspected(Forbidden):
    code, title = "bot_suspected", "This does not look like a person's browser"


class AuthViewSet(ViewSet):
    """Signing in by e-mail, and the session that comes of it."""

    def create(self, request: Request) -> Response:
        """Open a session for an e-mail address, which identifies and proves nothing.

        Where addresses must be proven, send a code instead: 202, whatever the address.
        """
        given, address = _asked(request, EmailIn, group="auth")
        email = given["email"]
        if settings.EMAIL_VERIFICATION == "required":
            _count_code(request, email)
            services.ask_for_code(email=email, address=address)
            return Response({"status": "code_sent"}, status=status.HTTP_202_ACCEPTED)
        _count_session(request, address)
        agent = client.user_agent(request._request)
        session = services.open_session(email=email, address=address, user_agent=agent)
        return Response(_token(session))

    def verify(self, request: Request) -> Response:
        """Open a session whose address is proven by the code that was sent to it."""
        if settings.EMAIL_VERIFICATION == "off":
            raise NotFound
        given, address = _asked(request, CodeIn, group="auth-verify")
        _count_session(request, address)
        agent = client.user_agent(request._request)
        session = services.open_proven(**given, address=address, user_agent=agent)
        return Response(_token(session))

    def retrieve(self, request: Request) -> Response:
        """What this session is."""
        return Response(_session(visitor(request)))

    def destroy(self, request: Request) -> Response:
        """End this session: the token is dead at once, open streams close within 5 s."""
        services.close_session(session_id=visitor(request).id, closed_by="visitor")
        return Response(status=status.HTTP_204_NO_CONTENT)


def refuse_bots(request: Request) -> None:
    """Raise BotSuspected where the user agent is too short to be a browser's."""
    agent = client.user_agent(request._request)
    if settings.BOT_DETECTION_ENABLED and len(agent) < settings.MIN_USER_AGENT_LENGTH:
        raise BotSuspected("Send a User-Agent header that names your client.")


def _asked(request: Request, kind: type[EmailIn], *, group: str) -> tuple[dict[str, Any], str]:
    """What a visitor without a session sent, and from where; counted by network."""
    refuse_bots(request)
    address = client.address(request._request)
    _count(request, group, client.network(address), settings.AUTH_RATE_LIMIT)
    return validated(kind, request.data), address


def _count_session(request: Request, address: str) -> None:
    """Count one of the sessions that a network may open a day."""
    if most := settings.SESSIONS_PER_ADDRESS_A_DAY:
        _count(request, "sessions", client.network(address), f"{most}/d")


def _count_code(request: Request, email: str) -> None:
    """Count one of the codes that an e-mail address may be sent."""
    key = identity.email_hash(identity.normalise_email(email))
    _count(request, "auth-email", key, settings.AUTH_EMAIL_RATE_LIMIT)


def _count(request: Request, group: str, key: str, rate: str) -> None:
    ratelimit.enforce(request._request, ratelimit.Limit(group, key, rate), strict=True)


def _token(session: ChatSession) -> dict[str, Any]:
    found = _session(session)
    return {
        "access_token": tokens.issue(session),
        "token_type": "bearer",
        "expires_in": int((session.expires_at - timezone.now()).total_seconds()),
        **{
            name: found[name]
            for name in ("session_id", "expires_at", "verified", "messages_remaining")
        },
    }


def _session(session: ChatSession) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "verified": session.email_verified_at is not None,
        "responder": session.responder,
        "is_active": session.is_active,
        "messages_remaining": max(0, settings.MESSAGE_LIMIT - session.message_count),
    }
