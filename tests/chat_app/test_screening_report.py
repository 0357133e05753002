"""The screening's report: on any files, with intervals, and a status that says what was missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat_app import screening_report
from chat_app.screening_report import main, wilson

CATEGORIES = [
    "xss",
    "sqli",
    "cmdi",
    "traversal",
    "ssti",
    "nosqli",
    "ldapi",
    "prompt_injection",
    "jailbreak",
]
INNOCENT = [
    "chat_general",
    "customer_support",
    "multilingual",
    "real_llm_chat",
    "code_question",
    "code_paste",
]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening_report, "adversarial", lambda: iter([("", "a")]))


def corpus(path: Path, text: str, categories: list[str]) -> str:
    rows = [json.dumps({"text": text, "category": category}) for category in categories]
    path.write_text("\n".join(rows))
    return str(path)


def test_prints_every_figure_and_misses_when_attacks_go_unseen(tmp_path, capsys):
    attacks = corpus(tmp_path / "attacks.jsonl", "Good morning!", CATEGORIES)
    innocent = corpus(tmp_path / "benign.jsonl", "Good morning!", INNOCENT)

    assert main([attacks, innocent]) == 1

    printed = capsys.readouterr().out
    assert "FAIL" in printed
    assert "xss" in printed


def test_misses_when_innocent_texts_are_taken_for_attacks(tmp_path, capsys):
    attack = "<script>alert('xss')</script>"
    attacks = corpus(tmp_path / "attacks.jsonl", attack, CATEGORIES)
    innocent = corpus(tmp_path / "benign.jsonl", attack, INNOCENT)

    assert main([attacks, innocent]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_interval_is_wilsons():
    # Agresti & Coull 1998, the example of 0 in 10 and of 5 in 10, at 95 %.
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=2e-3)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=2e-3)


def test_tells_what_rules_of_one_source_do_for_another(tmp_path, capsys):
    path = tmp_path / "a.jsonl"
    same, own = "<script>alert(1)</script>", "' OR 1=1 --"
    rows = [("xss", "one", same), ("xss", "two", same), ("xss", "three", same)]
    rows += [("sqli", "one", own)]
    path.write_text(
        "\n".join(json.dumps({"category": c, "source": s, "text": t}) for c, s, t in rows)
    )

    main([str(path)])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["xss", "n=", "3", "100.00%", "100.00%"] in lines
    assert ["sqli", "n=", "1", "100.00%", "0.00%"] in lines
