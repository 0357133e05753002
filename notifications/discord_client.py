"""The one door to Discord's REST API; errors are our own, and no type of the library passes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route, handle_message_parameters

from notifications.embeds import THREAD_MINUTES, Button, Post

# A call that waits for a limit of Discord's takes 30 s and more; one that takes this long is lost.
_CALL_SECONDS = 90.0
_LONGEST_LIMIT = 30.0  # longer waits come back as RateLimited
_PAGE = 100
_MOST_PAGES = 5
_CLOCKS = timedelta(minutes=2)

NO_MENTIONS = discord.AllowedMentions.none()

_STYLES = {
    "primary": discord.ButtonStyle.primary,
    "secondary": discord.ButtonStyle.secondary,
    "success": discord.ButtonStyle.success,
    "danger": discord.ButtonStyle.danger,
}


class DiscordError(Exception):
    """What went wrong in Discord. `permanent`: asking again would not help."""

    permanent: ClassVar[bool] = False


class Unavailable(DiscordError):
    """Discord is away or broken; whether it took what was sent is not known."""


class RateLimited(DiscordError):
    """Discord wants `seconds` of silence; nothing was taken. `everywhere`: from this address."""

    def __init__(self, detail: str, *, seconds: float, everywhere: bool) -> None:
        super().__init__(detail)
        self.seconds, self.everywhere = seconds, everywhere


class Refused(DiscordError):
    """The token or a permission is missing: nothing can be sent until somebody repairs it."""


class Forbidden(Refused):
    """A permission is missing, perhaps for this one thread or message only."""


class Locked(DiscordError):
    """The thread is locked, and the bot may not unlock it: that conversation waits, no other."""


class ChannelGone(DiscordError):
    """The thread or the channel is not there any more."""


class MessageGone(DiscordError):
    """The message is not there any more."""


class Archived(DiscordError):
    """The thread is archived or locked."""


class Rejected(DiscordError):
    """Discord does not take this, however often it is sent."""

    permanent = True


def configure(*, api_base: str, gateway_url: str) -> None:
    """Point discord.py at these URLs; once a process, before the first client."""
    Route.BASE = api_base.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)


class Door:
    """A logged-in client without a gateway; one a process, on one event loop."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._client: discord.Client | None = None
        self._entering = asyncio.Lock()

    async def close(self) -> None:
        """Log out."""
        if self._client:
            await self._client.close()
            self._client = None

    async def post(self, channel_id: str, post: Post, *, nonce: str) -> str:
        """Send a message, once for a nonce within minutes; its id."""
        async with self._http() as http:
            with _parameters(post, nonce=nonce) as parameters:
                sent = await http.send_message(int(channel_id), params=parameters)
        return str(sent["id"])

    async def edit(self, channel_id: str, message_id: str, post: Post) -> None:
        """Replace a message of ours."""
        async with self._http() as http:
            with _parameters(post) as parameters:
                await http.edit_message(int(channel_id), int(message_id), params=parameters)

    async def delete(self, channel_id: str, message_id: str) -> None:
        """Remove a message of ours."""
        async with self._http() as http:
            await http.delete_message(int(channel_id), int(message_id))

    async def find(
        self, channel_id: str, markers: Iterable[str], *, since: datetime
    ) -> dict[str, str]:
        """Our own messages with these markers, by marker; looks back to `since`, 500 at most."""
        wanted, found = set(markers), dict[str, str]()
        before: int | None = None
        for _ in range(_MOST_PAGES):
            async with self._http() as http:
                page = await http.logs_from(int(channel_id), _PAGE, before=before)
                mine = str(self._user_id())
            for message in page:
                marker = _marker(message)
                if marker in wanted and str(message["author"]["id"]) == mine:
                    found[marker] = str(message["id"])
            if len(page) < _PAGE or _sent_at(page[-1]) < since - _CLOCKS:
                break
            before = int(page[-1]["id"])
        return found

    async def open_thread(self, channel_id: str, message_id: str, *, name: str) -> str:
        """The thread of a message, made where there is none; its id."""
        try:
            async with self._http() as http:
                made = await http.start_thread_with_message(
                    int(channel_id),
                    int(message_id),
                    name=name,
                    auto_archive_duration=THREAD_MINUTES,
                )
        except _ThreadThere:
            return message_id  # a message's thread has the message's id
        return str(made["id"])

    async def archive(self, thread_id: str) -> None:
        """Put the thread away; a new message brings it back."""
        async with self._http() as http:
            await http.edit_channel(int(thread_id), archived=True)

    async def bring_back(self, thread_id: str) -> None:
        """Unarchive the thread, and unlock it, which only a lock by hand makes necessary.

        Raises Locked where the bot may not.
        """
        try:
            async with self._http() as http:
                await http.edit_channel(int(thread_id), archived=False, locked=False)
        except Forbidden as error:
            raise Locked("unlock the thread, or give the bot Manage Threads") from error

    def _user_id(self) -> int:
        assert self._client
        assert self._client.user
        return self._client.user.id

    @contextlib.asynccontextmanager
    async def _http(self) -> AsyncIterator[discord.http.HTTPClient]:
        """The logged-in client, with the library's errors turned into ours."""
        async with translated():
            async with self._entering:
                if self._client is None:
                    self._client = await _logged_in(self._token)
            yield self._client.http


@contextlib.asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Raise our errors for the library's, within the time that a call may take."""
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            yield
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _translate(error) from error
    except RuntimeError as error:  # aiohttp: another task's refusal has closed the session
        raise _translate(error) from error


class _ThreadThere(DiscordError):
    permanent = True


async def _logged_in(token: str) -> discord.Client:
    client = discord.Client(
        intents=discord.Intents.none(),
        allowed_mentions=NO_MENTIONS,
        max_ratelimit_timeout=_LONGEST_LIMIT,
    )
    try:
        await client.login(token)
    except BaseException:
        await client.close()
        raise
    return client


def _parameters(post: Post, *, nonce: str | None = None) -> discord.http.MultipartParameters:
    return handle_message_parameters(
        embed=discord.Embed.from_dict(post.embed),
        view=view(post.buttons) if post.buttons else None,
        nonce=nonce,
        allowed_mentions=NO_MENTIONS,
    )


def view(buttons: Iterable[Button]) -> discord.ui.View:
    """The buttons as discord.py sends them; their presses are told apart by their ids."""
    made = discord.ui.View(timeout=None)
    for button in buttons:
        made.add_item(
            discord.ui.Button(label=button.label, url=button.url)
            if button.url
            else discord.ui.Button(
                label=button.label, custom_id=button.custom_id, style=_STYLES[button.style]
            )
        )
    return made


def _marker(message: Any) -> str:
    embeds = message.get("embeds") or [{}]
    return str(embeds[0].get("footer", {}).get("text", ""))


def _sent_at(message: Any) -> datetime:
    return datetime.fromisoformat(message["timestamp"])


_BAD_TOKEN = "Discord does not accept DISCORD_BOT_TOKEN (401)"  # noqa: S105  (a sentence)
# https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
_KNOWN: dict[int, type[DiscordError]] = {
    10003: ChannelGone,
    10008: MessageGone,
    50083: Archived,  # tried to perform an operation on an archived thread
    160004: _ThreadThere,
    160005: Archived,  # thread is locked
}
# Too many edits of an old message, active threads, messages: later it goes.
_LATER = frozenset({20016, 20028, 30046, 160006})
_LATER_SECONDS = 60.0


def _translate(error: Exception) -> DiscordError:
    if isinstance(error, discord.LoginFailure):
        return Refused(_BAD_TOKEN)
    if isinstance(error, discord.RateLimited):
        return RateLimited("rate limited", seconds=error.retry_after, everywhere=False)
    if not isinstance(error, discord.HTTPException):
        return Unavailable(type(error).__name__)
    detail = f"{error.status} {error.code}: {error.text[:120]}"
    if error.code in _KNOWN:
        return _KNOWN[error.code](detail)
    if error.code in _LATER:
        return RateLimited(detail, seconds=_LATER_SECONDS, everywhere=False)
    return _by_status(error, detail)


def _by_status(error: discord.HTTPException, detail: str) -> DiscordError:
    if error.status == 429:
        wait = _seconds(error.response.headers.get("Retry-After"))
        # Without `Via` it is not Discord that speaks but what stands before it.
        return RateLimited(detail, seconds=wait, everywhere="Via" not in error.response.headers)
    if error.status == 401:
        return Refused(_BAD_TOKEN)
    if error.status == 403:
        return Forbidden(f"Discord refuses the bot: {detail}")
    if error.status >= 500 or error.status == 408:
        return Unavailable(detail)
    return ChannelGone(detail) if error.status == 404 else Rejected(detail)


def _seconds(header: str | None) -> float:
    try:
        return min(max(float(header or 60), 1.0), 3600.0)
    except ValueError:
        return 60.0
