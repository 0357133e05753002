"""No redirections: what a provider is asked goes to its address and nowhere else (ADR 0031)."""

from __future__ import annotations

from typing import Any


def install(transport: Any) -> Any:
    """Have this class of transports hand a redirection on as the failure that it is.

    litellm's clients would send the conversation, and with 307 the key, wherever it points.
    Gives back how the class sent before.
    """
    send = transport.handle_async_request

    async def handle_async_request(self: Any, request: Any) -> Any:
        response = await send(self, request)
        response.headers.pop("location", None)
        return response

    transport.handle_async_request = handle_async_request
    return send
