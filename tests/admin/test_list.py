"""The list: what it shows to whom, how it finds, and what it costs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat_app import fulltext, services, staff
from chat_app.models import ChatMessage, MessageType
from notifications.models import DiscordThread
from sessions_app.audit import Actor
from tests.admin.conftest import LIST, SignIn, Talk, say

ACTOR = Actor("admin", "1", "maren")


def _shown(page: str) -> str:
    return page.rsplit("<tbody>", maxsplit=1)[-1].split("</tbody>", maxsplit=1)[0]


@pytest.mark.parametrize(("role", "shown"), [("Reviewer", "a…@example.com"), ("Privacy", "ada@")])
def test_address_is_whole_only_with_the_permission(
    sign_in: SignIn, talk: Talk, role: str, shown: str
) -> None:
    talk("Hello")
    page = sign_in(role).get(LIST).content.decode()
    assert shown in page
    assert ("ada@example.com" in page) is (role == "Privacy")


@pytest.mark.parametrize(
    "query", ["", "?q=grinder", "?label=unanswered", "?label=ai_only&cost=0.001"]
)
def test_list_takes_ten_queries_at_most(sign_in: SignIn, talk: Talk, query: str) -> None:
    for number in range(12):
        talk("The grinder is loud", email=f"v{number}@example.com")
    client = sign_in("Admin")
    with CaptureQueriesContext(
        connection,
    ) as few:
        page = client.get(LIST + query)
    assert page.status_code == 200
    assert len(few) <= 11, [one["sql"][:90] for one in few]  # 10, and one for the health check
    for number in range(30):
        talk("The grinder is loud", email=f"w{number}@example.com")
    with CaptureQueriesContext(connection) as many:
        client.get(LIST + query)
    assert len(many) == len(few)


def test_search_finds_by_address_id_thread_message_and_words(sign_in: SignIn, talk: Talk) -> None:
    wanted = talk("Is the espresso grinder loud?", answer="Not at all.")
    other = talk("Where is my parcel?", email="bo@example.com")
    DiscordThread.objects.create(session=wanted, thread_id="123456789012345678")
    message = ChatMessage.objects.get(session=wanted, message_type=MessageType.USER)
    client = sign_in("Reviewer")
    typed = ("ADA@example.com", wanted.pk, wanted.pk[:9], "123456789012345678", message.pk,
             "espresso", "ESPRESSO grin", '"espresso grinder"', "grinder -parcel")  # fmt: skip
    for one in typed:
        page = _shown(client.get(LIST, {"q": one}).content.decode())
        assert wanted.pk in page, one
        assert other.pk not in page, one
    for one in (
        '"grinder espresso"',
        "grinder -loud",
        "-grinder",
        "!!!",
        "nobody@example.com",
        "'",
    ):
        assert "Nothing found" in client.get(LIST, {"q": one}).content.decode(), one


def test_match_is_shown_in_its_surroundings_and_escaped(sign_in: SignIn, talk: Talk) -> None:
    talk(f"{'before ' * 40}<b>needle</b>{' after' * 40}")
    page = _shown(sign_in("Reviewer").get(LIST, {"q": "needle"}).content.decode())
    assert "&lt;b&gt;<mark>needle</mark>&lt;/b&gt;" in page
    assert "…" in page


def test_search_follows_changes_and_deletion(talk: Talk) -> None:
    session = talk("needle")
    message = ChatMessage.objects.get(session=session, message_type=MessageType.USER)
    found = fulltext.matching(fulltext.terms("needle"))
    assert found.count() == 1
    ChatMessage.objects.filter(pk=message.pk).update(content="thread")
    assert not found.all().exists()
    assert fulltext.matching(fulltext.terms("thread")).exists()
    session.delete()
    assert not fulltext.matching(fulltext.terms("thread")).exists()


def test_index_is_made_anew_when_its_triggers_are_gone(talk: Talk) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite keeps it by triggers")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER message_words_insert")
    talk("needle")
    assert not fulltext.matching(fulltext.terms("needle")).exists()
    fulltext.install(connection)
    assert fulltext.matching(fulltext.terms("needle")).exists()


def test_filters_choose(sign_in: SignIn, talk: Talk) -> None:
    plain = talk("one", email="a@example.com")
    taken = talk("two", email="b@example.com")
    staff.post_message(session_id=taken.pk, text="Hello", actor=ACTOR)
    failed = talk("three", email="c@example.com")
    say(failed, MessageType.ASSISTANT, status="failed", degraded=True, error="timeout")
    attack = talk("<script>alert(1)</script>", email="d@example.com")
    closed = talk("five", email="e@example.com")
    staff.close(session_id=closed.pk, actor=ACTOR)
    waiting = talk("six", email="f@example.com")
    say(waiting, MessageType.USER, "still there?")
    client = sign_in("Reviewer")
    everyone = {one.pk for one in (plain, taken, failed, attack, closed, waiting)}
    wanted = {
        "who=human": {taken.pk},
        "state=closed": {closed.pk},
        "label=staff": {taken.pk},
        "label=degraded": {failed.pk},
        "label=safety": {attack.pk},
        "label=screened": {attack.pk},
        "label=unanswered": {failed.pk, waiting.pk},
        "label=ai_only": {plain.pk, failed.pk, closed.pk, waiting.pk},
        "least=5": set(),
        "cost=0.001": everyone - {attack.pk},
        "since=2000-01-01&until=2000-01-02": set(),
        "since=2000-01-01": everyone,
        "since=2000-01-01&until=2099-01-01&label=staff": {taken.pk},
        "since=2000-01-01&until=2099-01-01&q=six": {waiting.pk},
        "q=not@an@address": set(),
        "since=2026-02-31": everyone,
        "who=nonsense&since=nonsense&page=-1&label=%00": everyone,
    }
    for query, expected in wanted.items():
        page = _shown(client.get(f"{LIST}?{query}").content.decode())
        assert {pk for pk in everyone if f"/{pk}/" in page} == expected, query


def test_pages_go_on_without_a_count(sign_in: SignIn, talk: Talk) -> None:
    for number in range(51):
        talk(email=f"v{number}@example.com")
    client = sign_in("Reviewer")
    with CaptureQueriesContext(connection) as asked:
        first = client.get(LIST).content.decode()
    assert "Older →" in first
    assert not any("COUNT(*)" in one["sql"] for one in asked)
    second = client.get(LIST, {"page": 2}).content.decode()
    assert second.count('class="conversation') == 2  # the table, and one row
    assert "Older →" not in second


def test_index_leads_to_the_conversations(sign_in: SignIn) -> None:
    client = sign_in("Reviewer")
    assert client.get("/admin/").headers["Location"] == reverse(
        "admin:sessions_app_chatsession_changelist"
    )
    assert client.get("/admin/?everything=1").status_code == 200


def test_excerpt_of_an_answer_is_without_the_marks_of_markdown(sign_in: SignIn, talk: Talk) -> None:
    talk("Now?", answer="Yes: **two** of *six* are `mine`, 2 * 3 * 4 is 24.")
    say(talk(email="bo@example.com"), MessageType.USER, "Is **this** bold?")
    shown = _shown(sign_in("Reviewer").get(LIST).content.decode())
    assert "Yes: two of six are mine, 2 * 3 * 4 is 24." in shown
    assert "Is **this** bold?" in shown


def test_shows_the_question_while_its_answer_is_on_its_way(sign_in: SignIn, talk: Talk) -> None:
    services.post_message(session=talk("Hello"), text="Is anybody there?")
    shown = _shown(sign_in("Reviewer").get(LIST).content.decode())
    assert "Is anybody there?" in shown
    assert "Unanswered" in shown
