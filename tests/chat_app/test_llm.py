"""llm.py and fallbacks.py against a provider on the wire: answers, faults, watchdogs, fallbacks."""

import asyncio
import json
import time
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import quote_plus

import httpx
import pytest

from chat_app import fallbacks
from chat_app.prompts import Turn

TURNS = [Turn(role="system", content="Be brief."), Turn(role="user", content="Hello there friend")]

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module", autouse=True)
def llm():
    from chat_app import llm

    return llm


@pytest.fixture(autouse=True)
def _pauses(monkeypatch):
    monkeypatch.setattr(fallbacks, "_FIRST_PAUSE", 0.001)


class Heard:
    """What a reader of the pieces is told."""

    def __init__(self):
        self.pieces, self.restarts = [], 0

    async def text(self, piece):
        self.pieces.append(piece)

    async def restart(self):
        self.restarts += 1
        self.pieces.clear()

    @property
    def joined(self):
        return "".join(self.pieces)


async def whole(llm):
    return await fallbacks.complete(TURNS, request_id="request-1")


async def streamed(llm, heard=None):
    heard = heard or Heard()
    return await fallbacks.complete(
        TURNS, request_id="request-1", on_text=heard.text, on_restart=heard.restart
    )


async def failure(llm, ask=whole):
    with pytest.raises(llm.ProviderError) as caught:
        await ask(llm)
    return caught.value


# --- Answers --------------------------------------------------------------------------------------


async def test_returns_the_answer_when_the_provider_gives_one(llm, provider):
    found = await whole(llm)

    assert found.text == "You said: Hello there friend"
    assert (found.model, found.prompt_tokens, found.completion_tokens) == ("openai/echo", 11, 5)
    assert found.first_token_ms >= 1
    assert found.cost is None


async def test_sends_what_settings_say_when_it_asks(llm, provider, settings):
    settings.LLM_TEMPERATURE, settings.LLM_MAX_TOKENS = 0.3, 77
    await whole(llm)

    (request,) = provider.asked
    assert request["path"].startswith("POST /v1/chat/completions ")
    assert request["headers"]["authorization"] == "Bearer test-key"
    assert request["headers"]["x-request-id"] == "request-1"
    body = request["body"]
    assert body["messages"] == TURNS
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("echo", 0.3, 77)
    assert not body.get("stream")


async def test_hands_out_the_text_when_it_is_streamed(llm, provider, settings):
    settings.LLM_MODEL = "openai/words20-held5"
    heard = Heard()

    async def hear(piece):
        await heard.text(piece)
        if "word4" in piece:  # it is told before the rest is there
            async with httpx.AsyncClient() as client:
                question = quote_plus(TURNS[-1]["content"])
                await client.get(f"{settings.LLM_API_BASE}/release?{question}")

    found = await fallbacks.complete(TURNS, request_id="request-1", on_text=hear)

    assert found.text == heard.joined == "".join(f"word{number} " for number in range(20))
    assert len(heard.pieces) > 1
    assert (found.prompt_tokens, found.completion_tokens) == (11, 20)
    assert provider.asked[0]["body"]["stream_options"] == {"include_usage": True}


async def test_hears_fewer_pieces_when_the_provider_writes_many_at_once(llm, provider, settings):
    settings.LLM_MODEL = "openai/words400"
    heard = Heard()

    found = await streamed(llm, heard)

    assert found.text == heard.joined == "".join(f"word{number} " for number in range(400))
    assert len(heard.pieces) < 200
    assert found.completion_tokens == 400


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_has_no_call_logged_when_nobody_listens(llm, provider, monkeypatch, ask):
    logged = []
    for name in ("success_handler", "async_success_handler"):
        monkeypatch.setattr(llm.Logging, name, lambda *given, **_: logged.append(given))

    await ask(llm)
    await asyncio.sleep(0)

    assert logged == []


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_cuts_the_answer_when_the_provider_pours(llm, provider, settings, ask):
    settings.LLM_MODEL = "openai/huge"

    found = await ask(llm)

    assert len(found.text) == llm._MOST_CHARACTERS


async def test_knows_the_cost_when_the_price_list_has_the_model(llm):
    assert llm.cost("gemini/gemini-2.5-flash-lite", 1_000_000, 0) > Decimal(0)
    assert llm.cost("openai/echo", 1000, 1000) is None


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_asks_for_the_price_once_when_litellm_would_too(llm, provider, monkeypatch, ask):
    asked = []
    monkeypatch.setattr(llm.litellm, "response_cost_calculator", lambda **o: asked.append(o))
    monkeypatch.setattr(llm, "cost", lambda *_: Decimal("0.5"))

    found = await ask(llm)

    assert (found.cost, asked) == (Decimal("0.5"), [])


async def test_estimates_tokens_when_the_provider_says_none(llm, provider):
    call = llm.Call("openai/echo", TURNS, "r", None)
    call.text = "seven w"

    found = call._completion(None, None)

    assert (found.prompt_tokens, found.completion_tokens) == (4 + 2 + 4 + 5, 4 + 2)


async def test_takes_the_key_of_the_provider_when_there_are_two(llm, settings):
    settings.LLM_API_BASE, settings.LLM_API_KEY = "http://127.0.0.1:1/v1", "k"
    settings.GOOGLE_API_KEY = "g"

    gemini = llm.Call("gemini/x", TURNS, "r", None)._options()
    other = llm.Call("openai/x", TURNS, "r", None)._options()

    assert (gemini["api_key"], gemini.get("api_base")) == ("g", None)
    assert (other["api_key"], other["api_base"]) == ("k", "http://127.0.0.1:1/v1")
    settings.GOOGLE_API_KEY = settings.LLM_API_KEY = settings.LLM_API_BASE = ""
    bare = llm.Call("gemini/x", TURNS, "r", None)._options()
    assert {"api_key", "api_base"}.isdisjoint(bare)


# --- Faults ---------------------------------------------------------------------------------------


async def test_says_no_model_when_none_is_set(llm, settings):
    settings.LLM_MODEL, settings.LLM_FALLBACK_MODELS = "", []

    error = await failure(llm)

    assert (error.code, error.permanent) == ("no_model", True)


@pytest.mark.parametrize("ask", [whole, streamed])
@pytest.mark.parametrize(
    ("model", "code", "times"),
    [
        ("error500", "InternalServerError", 2),
        ("error503", "ServiceUnavailableError", 2),
        ("error429", "RateLimitError", 2),
        ("error401", "AuthenticationError", 1),
        ("error400", "BadRequestError", 1),
        ("error404", "NotFoundError", 1),
        ("empty", "empty_answer", 2),
        ("garbage", None, 2),
        ("html", None, 2),
    ],
)
async def test_asks_again_only_where_it_may_help_when_the_model_fails(
    llm, provider, settings, ask, model, code, times
):
    settings.LLM_MODEL = f"openai/{model}"

    error = await failure(llm, ask)

    assert len(provider.asked) == times
    assert error.model == f"openai/{model}"
    assert error.permanent is (times == 1)
    assert code in (None, error.code)


async def test_raises_when_the_connection_is_cut_before_the_answer(llm, provider, settings):
    settings.LLM_MODEL = "openai/words20-cut3"

    error = await failure(llm)

    assert not error.permanent
    assert len(provider.asked) == 2


# litellm asks the one by openai's client, the other, like most providers, by its own.
by_each_client = pytest.mark.parametrize("by", ["openai", "hosted_vllm"])


@by_each_client
@pytest.mark.parametrize("ask", [whole, streamed])
async def test_asks_no_more_often_than_it_says_when_connections_are_reset(
    llm, provider, settings, ask, by
):
    settings.LLM_MODEL = f"{by}/words20-reset"

    error = await failure(llm, ask)

    assert error.code != "empty_answer"
    assert len(provider.asked) == 2  # a library that tries again by itself would make it four


@by_each_client
@pytest.mark.parametrize("gap", ["", "-gap0.06"], ids=["at once", "piece by piece"])
async def test_loses_nothing_when_a_text_has_other_line_ends(llm, provider, settings, gap, by):
    settings.LLM_MODEL = f"{by}/says5{gap}"
    provider.says = "one \u2028 two \u2029 three \x85 four \x0b five \x1c six"

    found = await streamed(llm)

    assert found.text == provider.says


@by_each_client
@pytest.mark.parametrize("fault", ["fails3", "noise3"])
@pytest.mark.parametrize("gap", ["", "-gap0.06"], ids=["at once", "piece by piece"])
async def test_says_that_there_is_no_answer_when_one_event_is_none(
    llm, provider, settings, by, fault, gap
):
    settings.LLM_MODEL = f"{by}/words6-{fault}{gap}"

    error = await failure(llm, streamed)

    assert not error.permanent
    assert len(provider.asked) == 2


async def test_begins_again_when_the_stream_is_cut(llm, provider, settings):
    settings.LLM_MODEL, settings.LLM_FALLBACK_MODELS = "openai/words20-cut3", ["openai/words5"]
    heard = Heard()

    found = await streamed(llm, heard)

    assert found.model == "openai/words5"
    assert heard.restarts == 2  # the first model was asked twice
    assert found.text == heard.joined == "word0 word1 word2 word3 word4 "


async def test_raises_when_nobody_listens(llm, settings):
    settings.LLM_MODEL, settings.LLM_API_BASE = "openai/echo", "http://127.0.0.1:1/v1"
    settings.LLM_API_KEY = "k"

    assert not (await failure(llm)).permanent


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_falls_back_in_order_when_models_fail(llm, provider, settings, ask):
    settings.LLM_MODEL = "openai/error401"
    settings.LLM_FALLBACK_MODELS = ["openai/error500", "openai/words3", "openai/echo"]

    found = await ask(llm)

    assert found.model == "openai/words3"
    asked = [request["body"]["model"] for request in provider.asked]
    assert asked == ["error401", "error500", "error500", "words3"]
    assert found.fell_back == "AuthenticationError"


# --- Watchdogs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_gives_up_when_a_call_takes_too_long(llm, provider, settings, ask):
    settings.LLM_MODEL, settings.LLM_TIMEOUT = "openai/hang", 0.1

    error = await failure(llm, ask)

    assert not error.permanent
    assert error.code in ("timeout", "Timeout")


async def test_gives_up_when_the_first_piece_is_late(llm, provider, settings):
    settings.LLM_MODEL, settings.LLM_FIRST_TOKEN_TIMEOUT = "openai/hang", 0.1

    error = await failure(llm, streamed)

    assert error.code in ("first_token_timeout", "timeout")
    assert not error.permanent


async def test_gives_up_when_the_stream_begins_and_says_nothing(llm, provider, settings):
    settings.LLM_MODEL, settings.LLM_FIRST_TOKEN_TIMEOUT = "openai/words5-pause0", 0.2

    assert (await failure(llm, streamed)).code == "first_token_timeout"


async def test_gives_up_when_the_stream_falls_silent(llm, provider, settings):
    settings.LLM_MODEL, settings.LLM_GAP_TIMEOUT = "openai/words9-pause3", 0.2
    heard = Heard()

    error = await failure(llm, lambda llm: streamed(llm, heard))

    assert (error.code, error.permanent) == ("gap_timeout", False)
    assert heard.restarts == 2


@pytest.mark.parametrize("ask", [whole, streamed])
async def test_gives_up_when_all_together_takes_too_long(llm, provider, settings, ask):
    settings.LLM_MODEL, settings.LLM_TOTAL_TIMEOUT = "openai/hang", 0.1
    settings.LLM_FALLBACK_MODELS = ["openai/echo"]

    assert (await failure(llm, ask)).code == "total_timeout"
    assert {request["body"]["model"] for request in provider.asked} <= {"hang"}


# --- The breaker ----------------------------------------------------------------------------------


def asked(provider):
    return [request["body"]["model"] for request in provider.asked]


async def test_spares_a_model_that_fails_in_a_row_and_asks_the_next(llm, provider, settings):
    settings.LLM_MODEL, settings.LLM_FALLBACK_MODELS = "openai/error500", ["openai/echo"]
    settings.LLM_BREAKER_FAILURES = 4

    for _ in range(2):
        await whole(llm)
    provider.asked.clear()
    found = await whole(llm)

    assert found.model == "openai/echo"
    assert asked(provider) == ["echo"]


async def test_says_so_at_once_when_every_model_is_spared(llm, provider, settings):
    settings.LLM_MODEL, settings.LLM_BREAKER_FAILURES = "openai/error503", 2
    await failure(llm)
    provider.asked.clear()

    error = await failure(llm)

    assert (error.code, error.model, asked(provider)) == ("spared", "openai/error503", [])


async def ill(_llm):
    question = [Turn(role="user", content="[error500] Is it well?")]
    return await fallbacks.complete(question, request_id="r")


class Clock:
    """The breaker's, which stands until it is put forward."""

    def __init__(self, monkeypatch):
        from chat_app import breaker

        self.now = time.monotonic()
        monkeypatch.setattr(breaker, "time", SimpleNamespace(monotonic=lambda: self.now))


async def test_tries_a_spared_model_with_one_call_when_a_pause_is_over(
    llm, provider, settings, monkeypatch
):
    settings.LLM_MODEL, settings.LLM_BREAKER_FAILURES = "openai/asked", 2
    settings.LLM_BREAKER_SECONDS = 15
    clock = Clock(monkeypatch)
    await failure(llm, ill)

    for pause in (1, 2, 4, 8, 15, 15):
        clock.now += pause - 0.1
        assert (await failure(llm)).code == "spared"
        clock.now += 0.1
        provider.asked.clear()
        await failure(llm, ill)
        assert len(provider.asked) == 1

    clock.now += 15
    assert (await whole(llm)).text
    assert (await whole(llm)).text


async def test_waits_as_long_as_the_first_time_when_it_was_well_between(
    llm, provider, settings, monkeypatch
):
    settings.LLM_MODEL, settings.LLM_BREAKER_FAILURES = "openai/asked", 1
    settings.LLM_BREAKER_SECONDS = 15
    clock = Clock(monkeypatch)
    for _ in range(2):
        await failure(llm, ill)
        clock.now += 1

        assert (await whole(llm)).text


async def test_waits_no_longer_when_calls_fail_that_were_on_their_way(settings, monkeypatch):
    from chat_app import breaker

    settings.LLM_BREAKER_FAILURES, settings.LLM_BREAKER_SECONDS = 5, 15
    clock, spared = Clock(monkeypatch), breaker.Breaker("m")
    for _ in range(50):
        spared.failed()

    assert not spared.admits()
    clock.now += 1
    assert spared.admits()
    assert not spared.admits()


@pytest.mark.parametrize("model", ["empty", "error400"])
async def test_spares_no_model_for_what_a_question_brings_about(llm, provider, settings, model):
    settings.LLM_MODEL, settings.LLM_BREAKER_FAILURES = f"openai/{model}", 1

    for _ in range(2):
        assert (await failure(llm)).code != "spared"


# --- The stand-in itself --------------------------------------------------------------------------


async def request(settings, model, **options):
    body = {"model": model, "messages": [{"role": "user", "content": "Hi you"}], **options}
    async with httpx.AsyncClient() as client:
        return await client.post(f"{settings.LLM_API_BASE}/chat/completions", json=body, timeout=5)


async def test_stand_in_keeps_to_openais_schema_when_it_answers(provider, settings):
    from openai.types.chat import ChatCompletion

    response = await request(settings, "echo")

    found = ChatCompletion.model_validate_json(response.content, strict=True)
    assert not found.model_extra
    assert found.choices[0].message.content == "You said: Hi you"
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens


async def test_stand_in_keeps_to_openais_schema_when_it_streams(provider, settings):
    from openai.types.chat import ChatCompletionChunk

    response = await request(settings, "words3", stream=True)

    assert response.headers["content-type"] == "text/event-stream"
    blocks = response.text.strip().split("\n\n")
    assert blocks.pop() == "data: [DONE]"
    chunks = [
        ChatCompletionChunk.model_validate_json(block.removeprefix("data: "), strict=True)
        for block in blocks
    ]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "word0 word1 word2 "
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 3
    assert not any(chunk.model_extra for chunk in chunks)


async def test_stand_in_keeps_to_openais_schema_when_it_refuses(provider, settings):
    from openai.types.shared import ErrorObject

    response = await request(settings, "error429")

    assert response.status_code == 429
    found = ErrorObject.model_validate(json.loads(response.content)["error"], strict=True)
    assert found.message
