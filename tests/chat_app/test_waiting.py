"""`POST /chat` waiting for its answer, and stopping one that is being made."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from chat_app import waiting
from chat_app.models import ChatMessage
from chatsite.core import hub, runtime
from sessions_app import services as sessions
from sessions_app.selectors import poll
from tests.support import SECONDS, Reader, claim, finish, problem, until, watched

pytestmark = pytest.mark.asyncio


@sync_to_async
def stored(pk):
    return ChatMessage.objects.get(pk=pk)


async def connected():
    """The loop's hub, once it hears Redis."""
    found = hub.current(poll)
    await until(lambda: found.connected)
    return found


async def test_answers_when_the_model_does(web, engine):
    response = await web.ask("What do you sell?", x_request_id="request-0001")

    assert response.status_code == 200
    body = response.json()
    assert body == {
        "success": True,
        "response": "You said: What do you sell?",
        "response_html": "<p>You said: What do you sell?</p>\n",
        "message_id": body["message_id"],
        "answer_id": body["answer_id"],
        "status": "done",
        "safety": False,
        "degraded": False,
    }
    answer = await stored(body["answer_id"])
    assert answer.reply_to_id == body["message_id"]
    assert (answer.model, answer.prompt_tokens, answer.attempt) == ("openai/echo", 11, 1)
    assert answer.first_token_ms > 0


async def test_passes_the_request_id_on_when_the_model_is_asked(web, engine, provider):
    await web.ask("Hello?", x_request_id="request-0001")

    assert provider.asked[0]["headers"]["x-request-id"] == "request-0001"
    assert not provider.asked[0]["body"].get("stream")


async def test_shows_the_model_what_was_said_before_when_asked_again(web, engine, provider):
    await web.ask("First question")
    await web.ask("<script>alert('xss')</script>")
    await web.ask("Second question")

    turns = provider.asked[-1]["body"]["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert [turn["content"] for turn in turns[1:]] == [
        "First question",
        "You said: First question",
        "Second question",
    ]


async def test_answers_degraded_when_no_model_can(web, engine, settings):
    settings.LLM_MODEL = "openai/error401"

    response = await web.ask("Hello?")

    body = response.json()
    assert (response.status_code, body["status"], body["degraded"]) == (200, "failed", True)
    assert body["response"] == settings.LLM_FALLBACK_TEXT
    assert (await stored(body["answer_id"])).error == "AuthenticationError"


async def test_keeps_degraded_answers_from_the_model_when_asked_again(
    web, engine, provider, settings
):
    settings.LLM_MODEL = "openai/error401"
    await web.ask("First")
    settings.LLM_MODEL = "openai/echo"

    await web.ask("Second")

    contents = [turn["content"] for turn in provider.asked[-1]["body"]["messages"]]
    assert contents[1:] == ["First", "Second"]


async def test_answers_in_order_when_several_are_asked_at_once(web, engine, settings):
    settings.RATE_LIMITING_ENABLED = False
    responses = await asyncio.gather(*[web.ask(f"Question {number}") for number in range(8)])

    for number, response in enumerate(responses):
        assert response.json()["response"] == f"You said: Question {number}"
    assert len({response.json()["answer_id"] for response in responses}) == 8


async def test_accepts_when_the_answer_is_not_there_in_time(web, settings):
    settings.CHAT_WAIT_SECONDS = 0.01

    response = await web.ask("Hello?")

    assert response.status_code == 202
    assert response.json()["status"] == "queued"
    assert response["Location"] == f"/chat/messages/{response.json()['answer_id']}"


async def test_attaches_to_the_answer_when_the_key_comes_again_meanwhile(web):
    first = asyncio.create_task(web.ask("Hello?", idempotency_key="k"))
    await watched(web.session)
    second = asyncio.create_task(web.ask("Hello?", idempotency_key="k"))
    await connected()
    answer = await sync_to_async(finish)("Once.")

    first, second = await first, await second

    assert first.json() == second.json()
    assert first.json()["response"] == "Once."
    assert first.json()["answer_id"] == answer.pk
    assert second["Idempotency-Replayed"] == "true"
    assert not first.has_header("Idempotency-Replayed")


async def test_finds_the_answer_by_itself_when_redis_says_nothing(web, monkeypatch):
    monkeypatch.setattr(hub, "_POLL_SECONDS", 0.1)
    monkeypatch.setattr("chatsite.core.live.announce", lambda _announcement: None)
    asking = asyncio.create_task(web.ask("Hello?"))
    await watched(web.session)
    await sync_to_async(finish)("Found.")

    assert (await asking).json()["response"] == "Found."


async def test_looks_at_once_when_the_answer_was_announced_before_the_wait(web):
    followed = await connected()
    posted = await sync_to_async(_post)(web.session)
    done = await sync_to_async(finish)("Early.")
    await until(lambda: followed.was_told(done.pk))

    response = await waiting.answer(posted.answer, headers={})()

    assert response.status_code == 200


def _post(session):
    from chat_app import services

    return services.post_message(session=session, text="Hello?")


async def test_ends_the_wait_when_the_session_is_closed(web, monkeypatch):
    monkeypatch.setattr(hub, "_POLL_SECONDS", 0.1)
    asking = asyncio.create_task(web.ask("Hello?"))
    await watched(web.session)
    await sync_to_async(sessions.close_session)(session_id=web.session.pk, closed_by="staff")

    assert (await asking).status_code == 202
    problem(await web.ask("Hello?"), 401, "session_closed")


async def test_ends_the_wait_when_the_process_is_stopping(web, monkeypatch):
    class Worker:
        alive = True

    monkeypatch.setattr(runtime, "worker", Worker())
    asking = asyncio.create_task(web.ask("Hello?"))
    await watched(web.session)
    Worker.alive = False

    assert (await asking).status_code == 202


async def test_keeps_the_text_so_far_when_a_running_answer_is_stopped(web, engine, settings):
    settings.LLM_MODEL = "openai/words9-pause3"
    reader = Reader(await web.stream("Hello?"))
    heard = ""
    while "word2" not in heard:
        event = await reader.next()
        heard += event.data["text"] if event.name == "delta" else ""

    response = await web.post(f"/chat/answers/{event.data['answer_id']}/stop")

    body = response.json()
    assert response.status_code == 200
    assert (body["status"], body["text"], body["degraded"]) == (
        "stopped",
        "word0 word1 word2 ",
        False,
    )
    told = (await reader.rest())[-1]
    assert (told.name, told.data["status"]) == ("answer", "stopped")


async def test_stops_at_the_next_beat_when_the_worker_was_not_told(
    web, engine, settings, monkeypatch
):
    settings.ANSWER_LEASE_SECONDS = 2.0
    settings.LLM_MODEL = "openai/hang"
    monkeypatch.setattr("chatsite.core.live.request_stop", lambda _answer: None)
    answer_id = (await web.leave("Hello?")).json()["answer_id"]
    async with asyncio.timeout(SECONDS):
        while (await stored(answer_id)).status != "running":
            await asyncio.sleep(0.01)

    body = (await web.post(f"/chat/answers/{answer_id}/stop")).json()

    assert (body["status"], body["text"]) == ("stopped", "")


async def test_shows_it_running_when_no_worker_stops_it_in_time(web, monkeypatch):
    monkeypatch.setattr(waiting, "_STOP_SECONDS", 0.01)
    answer_id = (await web.leave("Hello?")).json()["answer_id"]
    await sync_to_async(claim)()

    body = (await web.post(f"/chat/answers/{answer_id}/stop")).json()

    assert body["status"] == "running"
    assert (await stored(answer_id)).stop_requested


async def test_says_the_problem_when_it_arises_while_waiting(web, monkeypatch):
    from chatsite.core import errors

    async def go_on():
        raise errors.Unavailable

    monkeypatch.setattr(waiting, "answer", lambda _posted, headers: go_on)

    problem(await web.ask("Hello?"), 503, "unavailable")
