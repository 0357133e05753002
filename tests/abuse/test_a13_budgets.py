"""A13: whoever opens sessions from one network and asks as long as they may, spends what may be."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.utils import timezone

from chat_app.models import ChatMessage, Spending
from sessions_app.models import ChatSession
from tests.support import SECONDS, Api, problem

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

LONG = "all work and no play " * 190  # 3,990 characters


@pytest.fixture(autouse=True)
def _open_wide(settings):
    """What bounds one caller in a minute is away: what is left are the bounds of a day."""
    settings.TRUSTED_PROXIES = ["1"]
    settings.AUTH_RATE_LIMIT = settings.CHAT_RATE_LIMIT = "100000/minute"
    settings.CHAT_ADDRESS_RATE_LIMIT = "100000/minute"


async def test_a13_opens_no_more_sessions_than_a_network_may_have(web, settings):
    settings.SESSIONS_PER_ADDRESS = 20
    found = [(await sign_in(web, f"2001:db8:0:7:{n:x}::{n:x}")).status_code for n in range(1, 101)]

    assert found == [200] * 20 + [429] * 80
    opened = ChatSession.objects.filter(network="2001:db8:0:7::/64", is_active=True)
    assert await opened.acount() == 20
    assert (await sign_in(web, "2001:db8:0:8::1")).status_code == 200


async def test_a13_opens_no_more_sessions_a_day_when_each_is_ended(web, settings):
    settings.SESSIONS_PER_ADDRESS_A_DAY = 10
    found = []
    for _ in range(15):
        answer = await sign_in(web, "198.51.100.7")
        found.append(answer.status_code)
        if answer.status_code == 200:
            await web.delete("/auth/session", authorization=bearer(answer))

    assert found == [200] * 10 + [429] * 5


async def test_a13_asks_no_model_beyond_the_budget_and_says_so(web, engine, provider, settings):
    """One token after another, longest messages: each is answered, or refused politely."""
    settings.DAILY_TOKENS = 10_000
    answers = []
    while not (answers and answers[-1]["degraded"]):
        token = bearer(await sign_in(web, f"2001:db8:0:9::{len(answers) + 1:x}"))
        answers.append((await web.ask(LONG, authorization=token)).json())

    asked = len(provider.asked)
    assert 2 <= asked < 12
    assert [one["degraded"] for one in answers] == [False] * asked + [True]
    assert answers[-1]["response"] == settings.LLM_BUDGET_TEXT
    await until(used, settings.DAILY_TOKENS)
    caches["local"].delete("budget-spent")  # asked again every other second
    refused = await web.ask(LONG, authorization=token)
    problem(refused, 503, "budget_spent")
    assert len(provider.asked) == asked
    assert (await web.get("/health")).json()["budget"] == "spent"


async def test_a13_leaves_others_alone_when_one_session_spent_its_budget(web, engine, settings):
    settings.SESSION_DAILY_TOKENS = 3_000
    greedy = bearer(await sign_in(web, "2001:db8:0:a::1"))
    other = bearer(await sign_in(web, "2001:db8:0:b::1"))

    found = [(await web.ask(LONG, authorization=greedy)).json() for _ in range(4)]

    assert found[0]["degraded"] is False
    assert found[-1]["degraded"] is True
    assert found[-1]["response"] == settings.LLM_BUDGET_TEXT
    assert (await web.ask(LONG, authorization=other)).json()["degraded"] is False


async def test_a13_counts_an_answer_that_is_stopped_before_it_is_there(web, engine, settings):
    """Else whoever stops each answer at its last word would be answered for nothing."""
    settings.LLM_MODEL = "openai/hang"
    begun = (await web.leave(LONG)).json()
    async with asyncio.timeout(SECONDS):
        while not await Spending.objects.aexists():
            await asyncio.sleep(0.01)

    await web.post(f"/chat/answers/{begun['answer_id']}/stop")

    row = await Spending.objects.aget(scope=web.session.pk)
    assert row.tokens > len(LONG) / 4


def sign_in(web: Api, address):
    return web.post("/auth/email", {"email": "eve@example.com"}, x_forwarded_for=address)


def bearer(answer):
    return f"Bearer {answer.json()['access_token']}"


@sync_to_async
def used():
    rows = ChatMessage.objects.exclude(prompt_tokens=None)
    return sum(a + b for a, b in rows.values_list("prompt_tokens", "completion_tokens"))


async def until(counted, most):
    """Wait until the day's row says what the answers say; it is settled just after them."""
    async with asyncio.timeout(SECONDS):
        while True:
            row = await Spending.objects.aget(day=timezone.now().date(), scope="")
            assert row.tokens <= most
            if row.tokens == await counted():
                return
