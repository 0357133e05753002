"""chatsite.core.logs: one line an event, whatever is in it, and no words of anybody's."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from chatsite.core import logs


def lines_of(form: str, act) -> list[str]:
    formatter = logs.dictionary({"level": "INFO", "format": form})["formatters"]["line"]
    formatter.pop("()")
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    handler = Keep()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**formatter))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        act()
    finally:
        root.removeHandler(handler)
    return found


def test_is_one_line_of_json_when_the_text_has_breaks_and_escapes():
    hostile = "a\r\nb\u2028c\x1b[31md"

    (line,) = lines_of("json", lambda: structlog.get_logger("t").warning("event", agent=hostile))

    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert json.loads(line)["agent"] == hostile


def test_tells_the_kind_and_place_of_an_error_but_not_its_words():
    def fail() -> None:
        try:
            raise ValueError("the visitor's secret words")
        except ValueError:
            structlog.get_logger("t").exception("failed")

    (line,) = lines_of("json", fail)

    told = json.loads(line)
    assert told["error"] == "ValueError"
    assert any("test_logs.py" in place and place.endswith("fail") for place in told["at"])
    assert "secret words" not in line


def test_tells_no_words_when_the_standard_library_logs_an_error():
    def fail() -> None:
        try:
            raise ValueError("secret words")
        except ValueError as error:
            logging.getLogger("t").error("failed", exc_info=error)

    (line,) = lines_of("json", fail)

    assert json.loads(line)["error"] == "ValueError"
    assert "secret words" not in line


def test_carries_the_request_when_one_is_bound():
    with logs.bound(request_id="req-12345678"):
        (line,) = lines_of("json", lambda: structlog.get_logger("t").error("event"))

    assert json.loads(line)["request_id"] == "req-12345678"


@pytest.mark.parametrize("level", ["info", "warning"])
def test_shows_people_the_hour_and_the_event_first(level, caplog):
    caplog.set_level("INFO")

    (line,) = lines_of("console", lambda: getattr(structlog.get_logger("t"), level)("event", n=1))

    assert "event" in line
    assert ("[t]" in _plain(line)) is (level == "warning")


def _plain(line: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", line)
