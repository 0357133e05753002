"""A12: while the limits' store is away signing in is 503, chat has a local limit; never a 500."""

import pytest

from chatsite.core import ratelimit
from tests.support import open_session, problem

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def store_down(request, settings):
    """Nothing listens there."""
    limits = {**settings.CACHES["limits"], "LOCATION": request.param}
    settings.CACHES = {**settings.CACHES, "limits": limits}


@pytest.mark.parametrize("verification", ["off", "required"])
def test_a12_refuses_to_sign_in_when_nobody_counts(store_down, api, settings, verification):
    settings.EMAIL_VERIFICATION = verification
    for path, body in (
        ("/auth/email", {"email": "ann@example.com"}),
        ("/auth/email/verify", {"email": "ann@example.com", "code": "123456"}),
    ):
        answer = api.post(path, body)
        if verification == "off" and "verify" in path:
            continue
        problem(answer, 503, "unavailable")
        assert int(answer["Retry-After"]) > 0


def test_a12_counts_messages_by_itself_when_nobody_else_counts(store_down, api):
    visitors = [api.with_session(open_session(f"v{n}@example.com")) for n in range(2)]

    for visitor in visitors:
        found = [visitor.leave("Hello?").status_code for _ in range(14)]
        assert found == [202] * 10 + [429] * 4


def test_a12_counts_all_of_an_address_by_itself(store_down, api, settings):
    settings.CHAT_ADDRESS_RATE_LIMIT = "5/minute"
    visitors = [api.with_session(open_session(f"v{n}@example.com")) for n in range(3)]

    found = [visitor.leave("Hello?").status_code for visitor in visitors for _ in range(3)]

    assert found == [202] * 5 + [429] * 4


def test_a12_drops_no_count_to_make_room(store_down, visitor, monkeypatch):
    """Django's local cache forgets some of its keys from 300 on."""
    for n in range(400):
        ratelimit._count_here(f"other{n}", 60)
    found = [visitor.leave("Hello?").status_code for _ in range(11)]
    for n in range(400):
        ratelimit._count_here(f"another{n}", 60)

    assert [*found, visitor.leave("Hello?").status_code] == [202] * 10 + [429] * 2
