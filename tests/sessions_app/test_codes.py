"""`POST /auth/email` and `/auth/email/verify` where addresses must be proven by a code."""

import re
import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from chatsite.core import live, queue
from sessions_app import blocks, codes, identity, services
from sessions_app.audit import Actor
from sessions_app.models import ChatSession, EmailCode
from tests.support import AGENT, at_once, fields, open_session, problem, run_task

pytestmark = pytest.mark.django_db

ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def _required(settings):
    settings.EMAIL_VERIFICATION = "required"
    settings.AUTH_RATE_LIMIT = "1000/minute"


def ask(api, email=ANN, **headers):
    return api.post("/auth/email", {"email": email}, **headers)


def verify(api, code, email=ANN):
    return api.post("/auth/email/verify", {"email": email, "code": code})


def sent():
    """The code of the newest mail, after the worker has sent what is due."""
    run_task(queue.SEND_CODES)
    found = re.search(r"Your code is (\d{6})\n", mail.outbox[-1].body)
    assert found
    return found[1]


def test_sends_a_code_and_opens_a_proven_session_when_it_comes_back(api):
    asked = ask(api, " Ann@Example.com ")
    assert (asked.status_code, asked.json()) == (202, {"status": "code_sent"})
    assert not ChatSession.objects.exists()
    code = sent()

    opened = verify(api, code, "Ann@Example.com")

    assert opened.status_code == 200
    body = opened.json()
    assert body["verified"] is True
    session = ChatSession.objects.get(pk=body["session_id"])
    assert session.email_verified_at is not None
    assert session.contact.email == "Ann@Example.com"
    shown = api.get("/auth/session", authorization=f"Bearer {body['access_token']}").json()
    assert shown["verified"] is True


def test_writes_a_plain_mail_when_it_sends(api, settings):
    settings.SITE_URL = "https://chat.example.com"
    ask(api)
    code = sent()

    (message,) = mail.outbox
    assert message.to == [ANN]
    assert code not in message.subject
    assert "https://chat.example.com within 10 minutes" in message.body
    assert message.message()["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("typed", ["{0} ", " {0}", "{1} {2}", "{1}-{2}"])
def test_takes_the_code_when_it_is_typed_with_spaces(api, typed):
    ask(api)
    code = sent()

    assert verify(api, typed.format(code, code[:3], code[3:])).status_code == 200


@pytest.mark.parametrize(
    "wrong", ["000000", "", "12345", "1234567", "abcdef", "１２３４５６", "1.0e+5"]
)
def test_says_one_thing_when_a_code_is_not_right(api, wrong):
    ask(api)
    if sent() == wrong:
        pytest.skip("one in a million")

    body = problem(verify(api, wrong), 400, "invalid_input")

    detail = "This code is not right, or too old."
    if wrong:
        assert body["errors"] == [{"field": "code", "code": "invalid", "detail": detail}]
    assert not ChatSession.objects.exists()


@pytest.mark.parametrize("wrong", [None, 123456, ["123456"], True])
def test_names_the_field_when_the_code_is_no_text(api, wrong):
    assert fields(verify(api, wrong)) == ["code"]


def test_takes_a_code_once(api):
    ask(api)
    code = sent()

    assert verify(api, code).status_code == 200
    assert fields(verify(api, code)) == ["code"]


def test_takes_no_code_of_another_address(api):
    ask(api)
    code = sent()
    ask(api, "bob@example.com")

    assert fields(verify(api, code, "bob@example.com")) == ["code"]
    assert fields(verify(api, code, "eve@example.com")) == ["code"]


def test_takes_no_code_when_it_is_too_old(api):
    ask(api)
    code = sent()
    EmailCode.objects.update(expires_at=timezone.now())

    assert fields(verify(api, code)) == ["code"]


def test_takes_only_the_newest_code(api):
    ask(api)
    first = sent()
    ask(api)
    second = sent()

    assert fields(verify(api, first)) == ["code"] or first == second
    assert verify(api, second).status_code == 200


def test_takes_no_code_after_five_wrong_ones(api):
    ask(api)
    code = sent()
    for _ in range(codes.MOST_ATTEMPTS):
        verify(api, "000000" if code != "000000" else "111111")

    assert fields(verify(api, code)) == ["code"]
    ask(api)
    assert verify(api, sent()).status_code == 200


def test_keeps_only_a_hash_of_the_code_and_no_address_when_it_was_sent(api, log_lines):
    ask(api)
    code = sent()

    row = EmailCode.objects.get()
    assert row.code_hash == identity.code_hash(row.pk, code)
    assert code not in f"{row.code_hash} {row}"
    assert row.email == ""
    assert row.sent_at is not None
    assert not [line for line in log_lines() if code in line or ANN in line]


def test_rings_without_a_word_when_a_code_is_asked_for(
    api, django_capture_on_commit_callbacks, monkeypatch
):
    rung = []
    monkeypatch.setattr(live._dispatcher, "ring", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        ask(api)

    assert rung == [queue.SEND_CODES], "neither address nor code goes through the broker"
    assert EmailCode.objects.get().code_hash == "", "the worker makes it"


def test_sends_once_when_the_task_runs_twice(api):
    ask(api)
    run_task(queue.SEND_CODES)
    run_task(queue.SEND_CODES)

    assert len(mail.outbox) == 1


@pytest.mark.parametrize("error", [smtplib.SMTPServerDisconnected(), TimeoutError()])
def test_sends_again_when_the_server_was_away(api, monkeypatch, error, log_lines):
    from django.core.mail.backends import locmem

    def fail(*_):
        raise error

    ask(api)
    with monkeypatch.context() as patch:
        patch.setattr(locmem.EmailBackend, "send_messages", fail)
        run_task(queue.SEND_CODES)
    assert mail.outbox == []
    assert [line for line in log_lines() if "a code was not sent" in line]
    run_task(queue.SEND_CODES)
    assert mail.outbox == [], "not at once"
    EmailCode.objects.update(due_at=timezone.now())

    assert verify(api, sent()).status_code == 200


def test_gives_up_when_sending_fails_again_and_again(api):
    ask(api)
    EmailCode.objects.update(sendings=4)

    run_task(queue.SEND_CODES)

    assert mail.outbox == []


def test_sends_nothing_when_the_code_was_replaced_before_it_was_sent(api):
    ask(api)
    ask(api)

    run_task(queue.SEND_CODES)

    assert len(mail.outbox) == 1
    assert not EmailCode.objects.exclude(email="").exists()


def test_limits_the_codes_of_an_address(api, settings):
    settings.AUTH_EMAIL_RATE_LIMIT = "2/15m"
    found = [
        ask(api, email).status_code for email in (ANN, "ANN@example.com", ANN, "b@example.com")
    ]

    assert found == [202, 202, 429, 202]


def test_limits_the_tries_of_a_network(api, settings):
    settings.AUTH_RATE_LIMIT = "3/minute"

    found = [verify(api, "123456").status_code for _ in range(5)]

    assert found == [400, 400, 400, 429, 429]


def test_tells_of_a_block_only_to_whoever_proved_the_address(api):
    known = open_session(ANN)
    staff = Actor("admin", "1", "Sam")
    blocks.block(session_id=known.pk, duration=timedelta(hours=1), reason="", actor=staff)
    blocks.Block.objects.update(network="203.0.113.1")

    assert ask(api).status_code == 202
    problem(verify(api, sent()), 403, "blocked")


def test_refuses_to_send_when_the_network_is_blocked(api):
    known = open_session("bob@example.com")
    staff = Actor("admin", "1", "Sam")
    blocks.block(session_id=known.pk, duration=timedelta(hours=1), reason="", actor=staff)

    problem(ask(api), 403, "blocked")


def test_keeps_the_code_when_no_session_can_be_opened(api, settings):
    settings.SESSIONS_PER_ADDRESS = 1
    other = open_session()
    ask(api)
    code = sent()
    problem(verify(api, code), 429, "session_limit")

    services.close_session(session_id=other.pk, closed_by="visitor")

    assert verify(api, code).status_code == 200


def test_counts_the_messages_of_a_proven_address_in_all_its_sessions(api, settings):
    settings.CHAT_EMAIL_RATE_LIMIT = "2/minute"
    visitors = [
        api.with_session(open_session(ANN, email_verified_at=timezone.now())) for _ in range(3)
    ]

    found = [visitor.leave("Hello?").status_code for visitor in visitors]

    assert found == [202, 202, 429]
    assert api.with_session(open_session(ANN)).leave("Hello?").status_code == 202


def test_is_not_there_when_addresses_need_no_proof(api, settings):
    settings.EMAIL_VERIFICATION = "off"

    problem(verify(api, "123456"), 404, "not_found")
    assert ask(api).json()["verified"] is False


def test_forgets_codes_when_they_are_long_over(api):
    ask(api)
    EmailCode.objects.update(expires_at=timezone.now() - timedelta(hours=2))

    run_task(queue.EXPIRE_SESSIONS)

    assert not EmailCode.objects.exists()


def test_suspects_a_bot_when_the_user_agent_is_short(api):
    problem(ask(api, user_agent="x"), 403, "bot_suspected")


@pytest.mark.django_db(transaction=True)
def test_opens_one_session_when_a_code_comes_often_at_once(settings):
    codes.request(email=ANN)
    code = sent()

    def one():
        try:
            return services.open_proven(
                email=ANN, code=code, address="203.0.113.1", user_agent=AGENT
            )
        except codes.WrongCode:
            return None

    found = at_once([one] * 5)

    assert sum(session is not None for session in found) == 1
    assert ChatSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_compares_no_more_than_five_when_many_guess_at_once(monkeypatch):
    codes.request(email=ANN)
    code = sent()
    compared = []
    real = identity.code_hash
    monkeypatch.setattr(
        identity, "code_hash", lambda pk, given: (compared.append(given), real(pk, given))[1]
    )

    def guess(number):
        try:
            return codes.try_out(email=ANN, code=f"{number:06d}")
        except codes.WrongCode:
            return None

    guesses = [number for number in range(12) if f"{number:06d}" != code]
    assert at_once([lambda n=number: guess(n) for number in guesses]) == [None] * len(guesses)
    assert EmailCode.objects.get().attempts == codes.MOST_ATTEMPTS
    assert guess(int(code)) is None
