"""A16: what strangers send makes one JSON line an event, and none of their words is in it.

Exports are tests/admin/test_export.py's."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.abuse.wire import Web, head

BREAKS = ["\\r\\n", "\\n", "%0d%0a", "\x1b[2J\x1b[31m", "\u2028", "\x85", "\x00"]
SECRET = "my neighbour's secret"
FORGED = '{"event": "admin logged in", "level": "info"}'


def test_logs_one_line_an_event_and_nobodys_words(wire: Web, token: str, web_log: Path) -> None:
    said_before = len(web_log.read_text(encoding="utf-8"))
    for mark in BREAKS:
        email = json.dumps({"email": f"ann.private@example.org{mark}{FORGED}"}).encode()
        wire.post(email, "", "/auth/email")
        wire.post(json.dumps({"message": f"{SECRET}{mark}{FORGED}"}).encode(), token,
                  prefer="respond-async")  # fmt: skip
        wire.post(f'{{"message": "{SECRET}{FORGED}'.encode(), token)
    for mark in ("%0d%0a", "%1b%5b2J", "%e2%80%a8", "%00"):
        wire.send(head("GET", f"/chat/{mark}{FORGED.replace(' ', '')}?token={token}", token))
    for mark in ("\x1b[31m", "\x85", "\xe2\x80\xa8", '"}'):
        wire.send(
            head("GET", "/nothing", token, user_agent=f"x{mark}y", x_request_id=f"{mark}12345678")
        )
    wire.post(b'{"email": "ann.private@example.org"}', "", "/auth/email")

    lines = _lines(web_log, said_before, "/auth/email")
    for line in lines:
        assert line.startswith("{"), line
        assert line.isascii()
        assert line.isprintable(), ascii(line)
        for secret in (SECRET, "ann.private", token, token.rpartition(".")[2]):
            assert secret not in line
    events = {json.loads(line)["event"] for line in lines}
    assert "request" in events
    assert "admin logged in" not in events


def _lines(log: Path, start: int, last: str) -> list[str]:
    """What was written since, once the last line is about `last`."""
    deadline = time.monotonic() + 20
    while last not in (written := log.read_text(encoding="utf-8")[start:]).split("\n")[-2:][0]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return written.split("\n")[:-1]
