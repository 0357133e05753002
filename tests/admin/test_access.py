"""The door: sign-in limited and logged, no forged form, no frame, no way out by `next`."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import caches
from django.test import Client
from structlog.testing import capture_logs

from chat_app.console import listing
from chatsite import env
from chatsite.core import ratelimit
from tests.admin.conftest import LIST, ROLES, SignIn, Talk

LOGIN = "/admin/login/"


@pytest.fixture
def counted_here(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits counted in this process, from nought; and passwords that are looked at quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(ratelimit, "_down_until", float("inf"))
    settings.RATE_LIMITING_ENABLED = True
    caches["local"].clear()


def test_sign_in_is_limited_and_says_so(db: Any, counted_here: None) -> None:
    User.objects.create_user("maren", password="right-one", is_staff=True)
    client = Client(REMOTE_ADDR="198.51.100.9")
    for _ in range(5):
        assert client.post(LOGIN, {"username": "maren", "password": "wrong"}).status_code == 200
    refused = client.post(LOGIN, {"username": "maren", "password": "right-one"})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many requests" in refused.content.decode()
    elsewhere = Client(REMOTE_ADDR="198.51.100.10")
    entered = elsewhere.post(LOGIN, {"username": "maren", "password": "right-one"})
    assert entered.status_code == 302


def test_sign_in_is_logged_without_what_was_typed(db: Any, counted_here: None) -> None:
    user = User.objects.create_user("maren", password="right-one", is_staff=True)
    client = Client(REMOTE_ADDR="198.51.100.11")
    with capture_logs() as lines:
        client.post(LOGIN, {"username": "typed-by-mistake", "password": "wrong"})
        client.post(LOGIN, {"username": "maren", "password": "right-one"})
    events = [line["event"] for line in lines]
    assert "staff sign-in failed" in events
    assert any(line["event"] == "staff signed in" and line["user"] == user.pk for line in lines)
    assert "typed-by-mistake" not in str(lines)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_next_leads_nowhere_else(db: Any, counted_here: None, target: str) -> None:
    User.objects.create_user("maren", password="right-one", is_staff=True)
    entered = Client(REMOTE_ADDR="198.51.100.12").post(
        f"{LOGIN}?next={target}", {"username": "maren", "password": "right-one", "next": target}
    )
    assert entered.status_code == 302
    assert "evil" not in entered.headers["Location"]


def test_forged_form_is_refused(sign_in: SignIn, talk: Talk) -> None:
    session = talk("Hello")
    signed_in = sign_in("Admin")
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    for path in ("do/reply/", "do/erase/", "reveal/"):
        assert client.post(f"{LIST}{session.pk}/{path}", {"text": "x"}).status_code == 403
    assert client.post(f"{LIST}export/", {"pk": session.pk}).status_code == 403
    session.refresh_from_db()
    assert session.responder == "ai"


def test_nothing_is_done_by_reading(sign_in: SignIn, talk: Talk) -> None:
    session = talk("Hello")
    client = sign_in("Admin")
    for path in ("do/takeover/", "do/erase/", "reveal/"):
        assert client.get(f"{LIST}{session.pk}/{path}").status_code == 405


def test_every_page_forbids_frames_and_inline_scripts(sign_in: SignIn, talk: Talk) -> None:
    session = talk("Hello")
    client = sign_in("Admin")
    for path in ("", f"{session.pk}/change/", "dashboard/", "../../?everything=1", "../../login/"):
        page = client.get(LIST + path, follow=True)
        policy = page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        text = page.content.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert "onclick" not in text
        assert "<script>" not in text


def test_refusals_and_faults_are_pages_of_ours(
    sign_in: SignIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = False
    client = sign_in("Reviewer")
    forged = Client(enforce_csrf_checks=True, raise_request_exception=False)
    forged.cookies = client.cookies
    monkeypatch.setattr(listing, "page", None)
    for answer, status, words in (
        (client.get("/admin/sessions_app/auditentry/"), 403, "You may not see this"),
        (client.get(f"{LIST}nothing/change/"), 404, "There is nothing here"),
        (forged.post(f"{LIST}export/", {"pk": "x"}), 403, "This form was too old"),
        (forged.get(LIST), 500, "Something went wrong"),
    ):
        text = answer.content.decode()
        assert answer.status_code == status, words
        assert words in text
        assert "<style" not in text
        assert "console/frame.css" in text
        assert text.count(f"{words} | Chatsite") == 1


def test_the_pages_of_refusals_and_faults_share_one_frame() -> None:
    for name in ("403", "403_csrf", "404", "500"):
        text = (env.BASE_DIR / "templates" / f"{name}.html").read_text(encoding="utf-8")
        assert text.startswith('{% extends "admin/console/oops.html" %}'), name
        assert "<" not in text, name


def test_strangers_see_the_sign_in_only(db: Any, talk: Talk) -> None:
    session = talk("A secret")
    User.objects.create_user("visitor", password="x")
    stranger, powerless = Client(), Client()
    powerless.force_login(User.objects.create_user("new", is_staff=True))
    for path in ("", f"{session.pk}/change/", f"{session.pk}/live/", "dashboard/"):
        assert stranger.get(LIST + path).status_code == 302
        assert powerless.get(LIST + path).status_code == 403


def test_roles_are_there_and_ordered(sign_in: SignIn) -> None:
    for role in ROLES:
        sign_in(role)

    def granted(role: str) -> set[str]:
        return set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))

    assert granted("Reviewer") < granted("Moderator") < granted("Admin")
    assert "act_chatsession" not in granted("Privacy")
    assert "personal_chatsession" not in granted("Moderator")
