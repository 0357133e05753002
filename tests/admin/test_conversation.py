"""One conversation: how it reads, what is done from it, and what that leaves behind."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat_app.console import transcript
from chat_app.models import ChatMessage, MessageType, Snippet
from notifications.models import DiscordThread
from sessions_app.models import Act, AuditEntry, Block, ChatSession, SessionContact, SessionEvent
from sessions_app.services import open_session
from tests.admin.conftest import LIST, SignIn, Talk, say

JSON = {"Accept": "application/json"}


def _do(client: Client, session: ChatSession, act: str, **data: str) -> int:
    return client.post(f"{LIST}{session.pk}/do/{act}/", data, headers=JSON).status_code


def test_reads_in_order_with_code_intact_and_inert(
    sign_in: SignIn, talk: Talk, settings: Any
) -> None:
    settings.SCREENING_ACTION = "label"  # else the attack gets the safety answer
    session = talk(
        "<img src=x onerror=alert(1)>", answer="Try:\n```python\nif a < b:\n    go()\n```"
    )
    page = sign_in("Reviewer").get(f"{LIST}{session.pk}/change/").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "if a &lt; b:\n    go()" in page
    assert "400" not in page.split("First token")[0][-20:]
    assert "0.40 s" in page
    assert page.index("onerror") < page.index("go()")


def test_page_takes_a_fixed_number_of_queries(sign_in: SignIn, talk: Talk) -> None:
    client = sign_in("Admin")
    counts = []
    for length in (1, 20):
        session = talk(*["Hello"] * length, email=f"v{length}@example.com")
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"{LIST}{session.pk}/change/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 16


def test_reply_takes_over_and_is_said_once(sign_in: SignIn, talk: Talk) -> None:
    session, client = talk("Hello"), sign_in("Moderator")
    for _ in range(2):
        assert (
            _do(client, session, "reply", text="Hi, Maren here.\r\nHow can I help?", key="k1")
            == 200
        )
    said = ChatMessage.objects.get(session=session, message_type=MessageType.STAFF)
    assert said.content == "Hi, Maren here.\nHow can I help?"
    session.refresh_from_db()
    assert session.responder == "human"
    assert LogEntry.objects.filter(object_id=session.pk).exists()
    lines = [one.line for one in transcript.items(session) if one.line]
    assert lines == ["moderator took over from the AI"]


def test_every_act_is_logged_and_is_a_line(sign_in: SignIn, talk: Talk) -> None:
    session, client = talk("Hello"), sign_in("Moderator")
    for act in ("takeover", "handback", "close", "reopen"):
        assert _do(client, session, act) == 200
    assert _do(client, session, "block", hours="24", reason="spam") == 200
    assert _do(client, session, "unblock") == 200
    lines = [one.line for one in transcript.items(session) if one.line]
    assert [line.split(" ", 1)[1] for line in lines] == [
        "took over from the AI", "handed back to the AI", "closed the conversation",
        "opened the conversation again", "blocked the visitor", "lifted the block",
    ]  # fmt: skip
    assert LogEntry.objects.filter(object_id=session.pk).count() == 6
    assert AuditEntry.objects.filter(session=session, source="admin").count() == 6
    assert Block.objects.get().reason == "spam"


def test_refusal_keeps_what_was_typed(sign_in: SignIn, talk: Talk) -> None:
    session, client = talk("Hello"), sign_in("Moderator")
    _do(client, session, "close")
    assert _do(client, session, "reply", text="Too late") == 409
    page = client.post(f"{LIST}{session.pk}/do/reply/", {"text": "Too <late>"})
    assert "Too &lt;late&gt;</textarea>" in page.content.decode()
    assert _do(client, session, "reply", text="x" * 4001) in {400, 409}
    assert _do(client, session, "block", hours="9999999") == 400
    assert _do(client, session, "nonsense") == 404


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("Reviewer", set()),
        ("Moderator", {"takeover"}),
        ("Privacy", {"reveal", "erase"}),
        ("Admin", {"takeover", "reveal", "erase"}),
    ],
)
def test_role_may_do_no_more(sign_in: SignIn, talk: Talk, role: str, may: set[str]) -> None:
    session, client = talk("Hello"), sign_in(role)
    page = client.get(f"{LIST}{session.pk}/change/").content.decode()
    for act in ("takeover", "reveal", "erase"):
        path = "reveal/" if act == "reveal" else f"do/{act}/"
        assert (f"{session.pk}/{path}" in page) is (act in may)
        answer = client.post(f"{LIST}{session.pk}/{path}", headers=JSON)
        assert answer.status_code == (200 if act in may else 403), act


def test_reveal_is_recorded(sign_in: SignIn, talk: Talk) -> None:
    session = talk("Hello")
    shown = sign_in("Privacy").post(f"{LIST}{session.pk}/reveal/").json()
    assert shown == {"email": "ada@example.com", "address": "192.0.2.7"}
    assert AuditEntry.objects.get(session=session).act == Act.REVEAL


def test_erasure_leaves_nothing_but_that_it_was_done(sign_in: SignIn, talk: Talk) -> None:
    session = talk("A secret")
    assert _do(sign_in("Privacy"), session, "erase") == 200
    for model in (ChatSession, ChatMessage, SessionContact, SessionEvent):
        assert not model._default_manager.exists()
    assert session.pk in AuditEntry.objects.get(act=Act.ERASE).detail


def test_earlier_conversations_only_with_the_permission(sign_in: SignIn, talk: Talk) -> None:
    earlier, session = talk("Hello"), talk("Again")
    for role, shown in (("Moderator", False), ("Privacy", True)):
        page = sign_in(role).get(f"{LIST}{session.pk}/change/").content.decode()
        assert ("Same address" in page) is shown
        aside = page.split('class="facts"')[1]
        assert (earlier.pk in aside) is shown


def test_neighbours_stay_within_the_list(sign_in: SignIn, talk: Talk) -> None:
    first, between, last = (talk("Hello", email=f"{n}@example.com") for n in "abc")
    say(between, MessageType.STAFF)
    client = sign_in("Reviewer")
    page = client.get(f"{LIST}{last.pk}/change/").content.decode()
    assert f"{between.pk}/change/" in page.split('aria-label="Neighbours"')[1].split("</nav>")[0]
    page = client.get(f"{LIST}{last.pk}/change/?label=ai_only").content.decode()
    assert f"{first.pk}/change/?label=ai_only" in page


def test_canned_replies_are_for_who_answers(sign_in: SignIn, talk: Talk) -> None:
    Snippet.objects.create(name="hi", text="<b>Hello</b>")
    session = talk("Hello")
    path = f"{LIST}{session.pk}/change/"
    assert "&lt;b&gt;Hello" in sign_in("Moderator").get(path).content.decode()
    assert "composer" not in sign_in("Reviewer").get(path).content.decode().split("<main")[1]


def test_forms_do_the_same_without_scripts(sign_in: SignIn, talk: Talk) -> None:
    session, client = talk("Hello"), sign_in("Admin")
    path = f"{LIST}{session.pk}"
    done = client.post(f"{path}/do/takeover/?label=staff", follow=True)
    assert done.redirect_chain == [(f"{path}/change/?label=staff", 302)]
    assert "Taken over" in done.content.decode()
    assert (
        "A person has it already"
        in client.post(f"{path}/do/takeover/", follow=True).content.decode()
    )
    assert client.post(f"{path}/do/erase/").headers["Location"] == LIST


def test_link_leads_to_the_thread_where_the_server_is_known(
    sign_in: SignIn, talk: Talk, settings: Any
) -> None:
    session, client = talk("Hello"), sign_in("Reviewer")
    DiscordThread.objects.create(session=session, thread_id="42")
    page = client.get(f"{LIST}{session.pk}/change/").content.decode()
    assert "thread 42" in page
    settings.DISCORD_GUILD_ID = "7"
    page = client.get(f"{LIST}{session.pk}/change/").content.decode()
    assert 'href="https://discord.com/channels/7/42"' in page


def test_unknown_conversation_is_404(sign_in: SignIn) -> None:
    client = sign_in("Admin")
    for path in ("nothing/change/", "nothing/live/", "%00/change/"):
        assert client.get(LIST + path).status_code == 404


def test_opens_from_the_log_of_the_admin_whatever_the_id_is(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = "--w6_40419rj_Z7JE28_5F_012345678"
    monkeypatch.setattr(ChatSession._meta.get_field("id"), "_get_default", lambda: odd)
    session = open_session(email="a@example.org", address="192.0.2.7", user_agent="a browser")
    assert session.pk == odd
    client = sign_in("Moderator")
    assert _do(client, session, "close") == 200

    link = LogEntry.objects.get().get_admin_url()

    assert "_5F" in link
    assert odd in client.get(link).content.decode()
