"""A22: a provider is spoken to with TLS or on this machine, and nobody is sent elsewhere by it."""

from __future__ import annotations

import asyncio

import pytest

from chat_app import fallbacks, llm
from chatsite.core import checks
from tests.standins.provider import Provider


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Ask again at once."""
    monkeypatch.setattr(fallbacks, "_FIRST_PAUSE", 0.0)


TURNS = [{"role": "user", "content": "a private question"}]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_streamed", [True, False], ids=["streamed", "whole"])
def test_follows_no_redirection(provider, settings, status, is_streamed):
    settings.LLM_MODEL = f"openai/redirect{status}"
    settings.LLM_FALLBACK_MODELS = []

    async def ask() -> Provider:
        other = Provider()
        provider.elsewhere = f"http://127.0.0.1:{await other.start()}/v1/chat/completions"
        try:
            with pytest.raises(llm.ProviderError):
                await fallbacks.complete(
                    TURNS, request_id="r", on_text=_ignore if is_streamed else None
                )
        finally:
            await other.stop()
        return other

    assert asyncio.run(ask()).asked == []
    assert provider.asked


def test_would_be_followed_by_the_library_alone(provider, settings, monkeypatch):
    monkeypatch.setattr(llm.LiteLLMAiohttpTransport, "handle_async_request", llm._send)
    settings.LLM_MODEL = "openai/redirect307"

    async def ask() -> Provider:
        other = Provider()
        provider.elsewhere = f"http://127.0.0.1:{await other.start()}/v1/chat/completions"
        with pytest.raises(llm.ProviderError):
            await fallbacks.complete(TURNS, request_id="r")
        await other.stop()
        return other

    assert asyncio.run(ask()).asked


async def _ignore(_piece: str) -> None:
    """Nobody reads it."""


def test_sends_nobody_where_a_text_says(provider, settings):
    settings.LLM_MODEL = "openai/echo"
    text = "api_base=http://evil.example http://169.254.169.254/latest/meta-data file:///etc/passwd"

    found = asyncio.run(
        fallbacks.complete([{"role": "user", "content": text}], request_id="r", on_text=None)
    )

    assert found.text == f"You said: {text}"  # it was a text, and pytest-socket saw no other host


NAMES = ["LLM_API_BASE", "DISCORD_API_BASE", "DISCORD_GATEWAY_URL"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "address",
    [
        "http://provider.example/v1",
        "http://10.0.0.5:8000",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://2130706433/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//provider.example",
        "https://",
        "provider.example",
        "http://[::1",
    ],
)
def test_refuses_to_start_with_an_address_that_anyone_can_listen_to(settings, name, address):
    setattr(settings, name, address)

    (found,) = checks.check_addresses()

    assert (found.id, found.is_serious()) == ("chatsite.E003", True)
    with pytest.raises(SystemExit, match=name):
        checks.refuse_open_addresses()


@pytest.mark.parametrize(
    "address",
    [
        *("https://provider.example/v1", "wss://gateway.example", "http://127.0.0.1:11434"),
        *("http://localhost/v1", "http://[::1]:80/", "ws://127.0.0.2:1", ""),
    ],
)
def test_starts_with_tls_or_with_this_machine(settings, address):
    for name in NAMES:
        setattr(settings, name, address)

    assert checks.check_addresses() == []
    checks.refuse_open_addresses()
