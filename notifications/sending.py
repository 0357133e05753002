"""Bringing one delivery into Discord: what is posted, looked for, edited; no database in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import structlog

from notifications import embeds
from notifications.discord_client import Archived, ChannelGone, Door, Forbidden, MessageGone
from notifications.embeds import Post
from notifications.jobs import Job
from sessions_app.models import EventKind

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Called between two posts with the messages so far; raises where the delivery is not ours any more.
Progress = Callable[[Sequence[str]], Awaitable[None]]


@dataclass(slots=True)
class Sent:
    """What Discord has of the event; `thread_id` and `card_id` where a thread was opened."""

    message_ids: list[str] = field(default_factory=list)
    thread_id: str = ""
    card_id: str = ""


class ThreadGone(Exception):
    """The conversation's thread was deleted by hand."""


class NeverOpened(Exception):
    """There is no thread, and none is owed: its opening failed for good."""


class Sending:
    """One delivery on its way."""

    def __init__(self, job: Job, *, door: Door, channel_id: str, progress: Progress) -> None:
        self._job, self._door, self._channel, self._progress = job, door, channel_id, progress
        self._ids = list(job.delivery.message_ids)

    async def run(self) -> Sent:
        """Send what is missing. Raises DiscordError, ThreadGone, NeverOpened."""
        job = self._job
        if job.kind == EventKind.OPENED:
            return await self._open()
        if not job.thread_id:
            raise NeverOpened
        try:
            if job.kind == EventKind.STATUS:
                return await self._show_state()
            if job.kind in {EventKind.EDITED, EventKind.DELETED}:
                return await self._correct()
            return await self._say()
        except ChannelGone as error:
            raise ThreadGone from error

    async def _open(self) -> Sent:
        job = self._job
        if job.thread_id:
            return Sent(self._ids, job.thread_id, job.card_id)
        assert job.card
        post = embeds.card(job.card)
        since = job.delivery.event.created_at
        await self._post_all(self._channel, [post], since=since)
        await self._progress(self._ids)
        card_id = self._ids[0]
        name = embeds.thread_name(job.session_id)
        thread_id = await self._door.open_thread(self._channel, card_id, name=name)
        return Sent(self._ids, thread_id, card_id)

    async def _say(self) -> Sent:
        job = self._job
        if job.source_id:  # the moderator wrote it in the thread: it stands there already
            return Sent([job.source_id])
        if job.said:
            await self._post_all(job.thread_id, embeds.message(job.said), since=job.said.when)
        return Sent(self._ids)

    async def _show_state(self) -> Sent:
        job = self._job
        assert job.card
        if job.note:
            when = job.delivery.event.created_at
            post = embeds.note(seq=job.seq, text=job.note, when=when)
            await self._post_all(job.thread_id, [post], since=when)
            await self._progress(self._ids)
        try:
            await self._door.edit(self._channel, job.card_id, embeds.card(job.card))
        except MessageGone:
            log.info("card was deleted by hand", session=job.session_id[:8])
        if not job.card.is_active:
            await self._put_away()
        return Sent(self._ids)

    async def _put_away(self) -> None:
        try:
            await self._door.archive(self._job.thread_id)
        except Forbidden:  # said and shown as closed it is; that the mirror stood still is worse
            log.warning("thread was not archived", session=self._job.session_id[:8])

    async def _correct(self) -> Sent:
        """Edit the embeds in place; what the new text needs more of is posted after them."""
        job = self._job
        if job.source_id or not job.said or not job.earlier_ids:
            return Sent(self._ids)
        posts = embeds.message(job.said)
        for number, message_id in enumerate(job.earlier_ids):
            more = number < len(posts)
            post = posts[number] if more else embeds.superseded(f"#{job.said.seq} · {number + 1}")
            try:
                await self._write(
                    lambda m=message_id, p=post: self._door.edit(job.thread_id, m, p)  # type: ignore[misc]
                )
            except MessageGone:
                log.info("a mirrored message was deleted by hand", session=job.session_id[:8])
        await self._post_all(
            job.thread_id, posts[len(job.earlier_ids) :], since=job.delivery.event.created_at
        )
        return Sent(self._ids)

    async def _post_all(self, channel_id: str, posts: Sequence[Post], *, since: datetime) -> None:
        left = posts[len(self._ids) :]
        if left and self._job.delivery.attempts > 1:
            # An earlier attempt may have arrived, and a nonce is remembered for minutes only.
            found = await self._door.find(channel_id, [post.marker for post in left], since=since)
        else:
            found = {}
        for number, post in enumerate(left):
            if number:  # the last is stored by what follows: mostly the end, a commit less
                await self._progress(self._ids)
            if post.marker in found:
                self._ids.append(found[post.marker])
            else:
                self._ids.append(await self._post(channel_id, post))

    async def _post(self, channel_id: str, post: Post) -> str:
        delivery = self._job.delivery
        nonce = f"{delivery.pk:x}-{delivery.generation:x}-{len(self._ids):x}"
        return await self._write(lambda: self._door.post(channel_id, post, nonce=nonce))

    async def _write(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it, and where the thread is archived or locked, bring it back and do it again."""
        try:
            return await act()
        except Archived:
            await self._door.bring_back(self._job.thread_id)
            return await act()
