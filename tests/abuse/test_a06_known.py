"""A6: whether an address is known, or blocked, shows in nothing: status, shape, or work done.

`make timing` measures the time; here each answer is seen to ask the database the same."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.models import ChatSession, EmailCode
from tests.support import open_session, run_task

pytestmark = pytest.mark.django_db
TRIES = 200


@pytest.fixture(autouse=True)
def _unlimited(settings):
    settings.RATE_LIMITING_ENABLED = False
    settings.DATABASE_PLANS = False  # the third asking of anything would read another way


def told(api, path, body):
    """All that a caller can learn of an answer, and what it cost the database."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = api.post(path, body)
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    said = answer.json()
    shape = {name: type(value).__name__ for name, value in said.items()}
    work = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in asked]
    return answer.status_code, str(headers), str(shape), str(said.get("errors")), tuple(work)


@pytest.mark.parametrize("verification", ["off", "required"])
def test_a06_says_and_does_the_same_for_every_address(api, settings, verification):
    settings.EMAIL_VERIFICATION = verification
    for n in range(10):
        open_session(f"visitor{n:03d}@example.com")

    # Every fifth is known.
    emails = [f"visitor{n % 50:03d}@example.com" for n in range(TRIES)]
    found = {told(api, "/auth/email", {"email": email}) for email in emails}

    assert len(found) == 1


def test_a06_says_and_does_the_same_for_a_wrong_code_whoever_asked_for_one(api, settings):
    settings.EMAIL_VERIFICATION = "required"
    api.post("/auth/email", {"email": "asked@example.com"})
    run_task("sessions_app.tasks.send_codes")
    EmailCode.objects.update(code_hash="0" * 64)

    found = {
        told(api, "/auth/email/verify", {"email": f"{who}@example.com", "code": "123456"})
        for who in ("asked", "never") * 3
    }

    assert len(found) == 1
    assert not ChatSession.objects.exists()
