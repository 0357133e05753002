"""prompts.py: the question is always whole, the latest fit, the rest is left out."""

import os

from hypothesis import given
from hypothesis import strategies as st

from chat_app import guard, prompts

# What else is in a text, a model is not shown (test_guard.py).
texts = st.text(st.characters(exclude_categories=[]), max_size=60).map(guard.plain)
turns = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant"]),
        texts,
    ),
    max_size=12,
)


@given(texts, turns, texts, st.integers(0, 12), st.integers(0, 200))
def test_keeps_the_latest_that_fit_when_building(system, history, question, most, tokens):
    built = prompts.build(
        system=system, history=history, question=question, most_turns=most, most_tokens=tokens
    )

    head = [{"role": "system", "content": system}] if system else []
    assert built[: len(head)] == head
    assert built[-1] == {"role": "user", "content": question}
    kept = built[len(head) : -1]
    assert kept == (history[-len(kept) :] if kept else [])
    assert len(kept) <= most
    cost = sum(prompts.estimate(turn["content"]) for turn in kept)
    assert not kept or cost + prompts.estimate(question) <= tokens
    left_out = history[: len(history) - len(kept)]
    if left_out and len(kept) < most:
        one_more = cost + prompts.estimate(left_out[-1]["content"]) + prompts.estimate(question)
        assert one_more > tokens


@given(texts, texts)
def test_estimates_more_when_there_is_more_text(first, second):
    assert 4 <= prompts.estimate(first) <= prompts.estimate(first + second)


def test_reads_the_prompt_again_when_the_file_was_edited(tmp_path):
    file = tmp_path / "prompt.txt"
    file.write_text(" First \n", encoding="utf-8")
    first = prompts.system_prompt(str(file))
    file.write_text("Second", encoding="utf-8")
    os.utime(file, ns=(1, 1))

    assert (first, prompts.system_prompt(str(file))) == ("First", "Second")


def test_has_no_secret_and_says_its_rules_when_shipped(settings):
    prompt = prompts.system_prompt(settings.LLM_SYSTEM_PROMPT_FILE)

    assert "visitor" in prompt
    for name in ("SECRET_KEY", "JWT_SECRET_KEY", "EMAIL_HASH_KEY"):
        assert getattr(settings, name) not in prompt
