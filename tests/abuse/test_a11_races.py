"""A11: at once, exactly the limit passes; over sockets, against a web of two processes.

A few rounds here; `make races RUNS=100` repeats it, on the database that DATABASE_URL names."""

import asyncio
import itertools
import os
from collections import Counter
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import connection, connections

from chat_app.models import ChatMessage
from sessions_app.models import ChatSession
from tests.abuse.wire import Web
from tests.support import AGENT, bearer, open_session

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("races"),
]
RUNS = range(int(os.environ.get("RACES", "2")))
LIMIT, AT_ONCE = 10, 100
_addresses = itertools.count(1)


@pytest.fixture(scope="module")
def product(django_db_setup, tmp_path_factory):
    """Two web processes on this run's database, with limits."""
    web = Web(
        tmp_path_factory.mktemp("races"),
        database_url=_database(),
        WEB_WORKERS="2",
        RATE_LIMITING_ENABLED="on",
        MESSAGE_LIMIT="50",
        BACKLOG_LIMIT="1000000",
        TRUSTED_PROXIES="1",
        # One limit of each kind is ten a minute; what stands beside it is out of the way.
        CHAT_RATE_LIMIT="1000/minute",
        CHAT_ADDRESS_RATE_LIMIT=f"{LIMIT}/minute",
        AUTH_RATE_LIMIT=f"{LIMIT}/minute",
    )
    try:
        web.start()
        yield web
    finally:
        web.process.kill()


@pytest_asyncio.fixture(autouse=True)
async def _no_connection_is_left():
    """PostgreSQL drops no database that the thread of the ORM's coroutines is connected to."""
    yield
    await sync_to_async(connections.close_all)()


def _database():
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


async def all_at_once(web, requests):
    """The answers to all of these (path, body, headers), sent at the same moment."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=web.url, limits=limits, timeout=60) as client:
        return await asyncio.gather(
            *[client.post(path, json=body, headers=headers) for path, body, headers in requests]
        )


def counted(answers):
    return Counter(answer.status_code for answer in answers)


def headers(address, session=None):
    named = {"user-agent": AGENT, "prefer": "respond-async", "x-forwarded-for": address}
    return {**named, **(bearer(session) if session else {})}


def address():
    n = next(_addresses)
    return f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}"


@pytest.mark.parametrize("run", RUNS)
async def test_a11_lets_exactly_ten_messages_pass_when_a_hundred_come_at_once(product, run):
    session, caller = await sync_to_async(open_session)(), address()
    body = {"message": "Hello?"}

    answers = await all_at_once(product, [("/chat", body, headers(caller, session))] * AT_ONCE)

    assert counted(answers) == {202: LIMIT, 429: AT_ONCE - LIMIT}
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["code"] for answer in refused} == {"rate_limited"}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert await ChatMessage.objects.acount() == 2 * LIMIT


@pytest.mark.parametrize("run", RUNS)
async def test_a11_opens_exactly_ten_sessions_when_a_hundred_sign_in_at_once(product, run):
    caller = headers(address())
    body = {"email": "ann@example.com"}

    answers = await all_at_once(product, [("/auth/email", body, caller)] * AT_ONCE)

    assert counted(answers) == {200: LIMIT, 429: AT_ONCE - LIMIT}
    assert await ChatSession.objects.acount() == LIMIT


@pytest.mark.parametrize("run", RUNS)
async def test_a11_stores_exactly_fifty_when_twenty_come_at_once_at_forty(product, run):
    session = await sync_to_async(open_session)(message_count=40)
    posts = [("/chat", {"message": f"Number {n}"}, headers(address(), session)) for n in range(20)]

    answers = await all_at_once(product, posts)

    assert counted(answers) == {202: 10, 429: 10}
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 429}
    assert refused == {"message_limit"}
    await session.arefresh_from_db()
    assert session.message_count == django_settings.MESSAGE_LIMIT == 50
    rows = ChatMessage.objects.order_by("seq")
    assert [seq async for seq in rows.values_list("seq", flat=True)] == list(range(2, 22))
