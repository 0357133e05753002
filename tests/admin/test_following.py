"""The stream of a conversation's page: changes as HTML, tokens, acts, and its end."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from redis.exceptions import RedisError

from chat_app import staff
from chat_app.console import following
from chat_app.models import ChatMessage
from chatsite.core import hub, live
from sessions_app import erasure
from sessions_app.audit import Actor
from sessions_app.selectors import poll
from tests.admin.conftest import LIST, SignIn
from tests.support import Reader, answer_of, claim, finish

pytestmark = pytest.mark.asyncio
ACTOR = Actor("admin", "1", "maren")


async def _follow(sign_in: SignIn, session: Any, role: str = "Reviewer", after: str = "1") -> Any:
    client = AsyncClient(headers={"User-Agent": "a browser of the staff"})
    client.cookies = (await sync_to_async(sign_in)(role)).cookies
    return await client.get(f"{LIST}{session.pk}/live/?after={after}")


async def _tell(answer: ChatMessage, text: str, offset: int = 0) -> None:
    delta = live.Delta(answer.session_id, answer.pk, 100, offset, text)
    await live.publish_delta(hub.current(poll).redis, delta)


async def test_tells_messages_pieces_and_answers_as_they_come(web: Any, sign_in: SignIn) -> None:
    reader = Reader(await _follow(sign_in, web.session))
    answer = await sync_to_async(answer_of)(web.session, "Is it **loud**?")
    told = await reader.until("state")
    assert "<strong>loud</strong>" in told[0].data["html"]
    assert f'id="m-{answer.pk}"' in told[1].data["html"]
    assert told[-1].data == {"responder": "ai", "is_active": True, "messages": 1}
    await _tell(answer, "Not ")
    piece = (await reader.until("delta"))[-1]
    assert piece.data["text"] == "Not "
    await sync_to_async(finish)("Not at all.")
    told = await reader.until("state")
    assert "Not at all." in told[0].data["html"]
    await reader.close()


async def test_begins_with_what_was_missed_and_what_is_being_made(
    web: Any, sign_in: SignIn
) -> None:
    answer = await sync_to_async(answer_of)(web.session)
    await sync_to_async(claim)()
    await _tell(answer, "So far")
    reader = Reader(await _follow(sign_in, web.session, after="nonsense"))
    told = await reader.until("delta")
    assert [one.name for one in told].count("item") == 2
    assert told[-1].data["text"] == "So far"
    await reader.close()


async def test_goes_on_without_redis(
    web: Any, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RedisError

    await sync_to_async(answer_of)(web.session)
    await sync_to_async(claim)()
    monkeypatch.setattr(live, "partial", fail)
    reader = Reader(await _follow(sign_in, web.session))
    assert (await reader.until("state"))[0].name == "item"
    await sync_to_async(staff.close)(session_id=web.session.pk, actor=ACTOR)
    await reader.until("state")
    await reader.close()


async def test_says_what_staff_did_and_drops_the_answer_that_gave_way(
    web: Any, sign_in: SignIn
) -> None:
    answer = await sync_to_async(answer_of)(web.session)
    reader = Reader(await _follow(sign_in, web.session, after="3"))
    await sync_to_async(staff.take_over)(session_id=web.session.pk, actor=ACTOR)
    told = await reader.until("drop")
    assert told[-1].data == {"key": f"m-{answer.pk}"}
    assert any("took over from the AI" in one.data.get("html", "") for one in told)
    assert (await reader.until("state"))[-1].data["responder"] == "human"
    await reader.close()


async def test_ends_where_the_conversation_is_erased(web: Any, sign_in: SignIn) -> None:
    reader = Reader(await _follow(sign_in, web.session))
    await sync_to_async(erasure.erase)(session_id=web.session.pk, actor=ACTOR)
    await sync_to_async(live.announce)(live.Announcement(web.session.pk, 9, "status", ""))
    assert (await reader.rest())[-1].name == "gone"


async def test_pings_and_ends_in_time(
    web: Any, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_app.stream.PING_SECONDS", 0.01)
    monkeypatch.setattr(following, "_LONGEST_SECONDS", 0.05)
    reader = Reader(await _follow(sign_in, web.session))
    assert await reader.rest() == []
    assert ": ping" in "".join(reader.other)


async def test_is_for_those_only_who_may_read(web: Any, sign_in: SignIn) -> None:
    client = AsyncClient()
    answer = await client.get(f"{LIST}{web.session.pk}/live/")
    assert answer.status_code == 302
