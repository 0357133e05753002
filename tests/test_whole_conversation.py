"""A whole conversation, with a failing model too: what was said stays out of every log line."""

import json

import pytest

from tests.support import AGENT, Reader

EMAIL = "ann.personal@example.com"
SECRETS = ["ann.personal", "My-Secret-Words", "My-Other-Words"]


@pytest.mark.asyncio
async def test_logs_one_json_line_an_event_and_nobodys_words(web, engine, settings, log_lines):
    signed = await web.post("/auth/email", {"email": EMAIL}, user_agent=AGENT)
    token = signed.json()["access_token"]
    web.headers["Authorization"] = f"Bearer {token}"

    answered = await web.ask("My-Secret-Words: what is it?")
    settings.LLM_MODEL = "openai/error500"
    failed = await web.ask("My-Other-Words?")
    settings.LLM_MODEL = "openai/garbage"
    await Reader(await web.stream("My-Other-Words again?")).rest()
    await web.ask("<script>alert('My-Secret-Words')</script>")
    await web.post("/chat", b'{"message": "My-Secret-Words')
    await web.post("/auth/email", {"email": f"{EMAIL}@"})
    await web.get("/auth/session", authorization=f"Bearer {token[:-4]}xxxx")
    await web.get("/chat/history")
    await web.delete("/auth/session")

    assert answered.json()["status"] == "done"
    assert failed.json()["degraded"] is True
    lines = log_lines()
    found = [json.loads(line) for line in lines]
    requests = [line for line in found if line["event"] == "request"]
    assert len(requests) == 10
    assert {"event", "level", "logger", "time"} <= set.intersection(*map(set, found))
    assert all({"method", "path", "status", "ms", "request_id"} <= set(line) for line in requests)
    ended = [line for line in found if line["event"] == "answer ended"]
    assert [line["status"] for line in ended] == ["done", "failed", "failed"]
    assert ended[0]["request_id"] == answered["X-Request-ID"]
    for secret in (*SECRETS, token, token.split(".")[2]):
        assert not [line for line in lines if secret in line], secret


@pytest.mark.django_db
def test_logs_where_it_failed_and_not_what_was_said_when_a_fault_is_ours(
    visitor, monkeypatch, log_lines
):
    def fail(**_options):
        raise ValueError("My-Secret-Words")

    monkeypatch.setattr("chat_app.services.post_message", fail)

    assert visitor.leave("My-Secret-Words").status_code == 500

    (line,) = [json.loads(line) for line in log_lines() if "request failed" in line]
    assert line["error"] == "ValueError"
    assert any("views.py" in place for place in line["at"])
    assert not [line for line in log_lines() if "My-Secret-Words" in line]
