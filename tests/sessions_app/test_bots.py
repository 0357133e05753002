"""bots.py: what is unlike a person is scored with its reasons; people are left alone."""

import pytest

from sessions_app import bot_report, bots
from sessions_app.bots import Neighbours, Post


def posts(*gaps, text=None, length=40):
    """Posts so many seconds apart, each with a text of its own unless one is given."""
    at, found = 0.0, [Post(0.0, text or "t", length)]
    for number, gap in enumerate(gaps):
        at += gap
        found.append(Post(at, text or f"t{number}", length))
    return found


def judged(given, around=None, many=20):
    found = bots.judge(given, around or Neighbours(), many=many)
    return {one.name: one.points for one in found}


@pytest.mark.parametrize(
    ("gaps", "found"),
    [
        ([10] * 7, {"cadence": 4}),
        ([10, 10.3, 9.8, 10.1, 10, 9.9, 10.2], {"cadence": 4}),
        ([10, 11, 9, 10, 11, 9.2, 10.2], {"cadence": 2}),
        ([10, 15, 7, 12, 30, 9, 11], {}),
        ([10] * 6, {}),
        ([5] * 7, {}),  # 35 seconds: what happens at once is the limits'
        ([50, 4, 90, 10, 10, 10, 10, 10, 10, 10], {"cadence": 4}),
    ],
)
def test_scores_a_cadence_that_no_person_has(gaps, found):
    assert judged(posts(*gaps)) == found


def test_scores_nothing_when_all_came_at_one_moment():
    assert judged(posts(*[0.0] * 12)) == {}
    assert judged(posts(70, *[0.0] * 8)) == {"haste": 4}


@pytest.mark.parametrize(
    ("rapid", "length", "found"),
    [(3, 40, {}), (4, 40, {"haste": 2}), (5, 40, {"haste": 4}), (8, 19, {})],
)
def test_scores_haste_when_nobody_could_have_typed_so_fast(rapid, length, found):
    gaps = [100, 31, 9, 64, 17][: 8 - rapid] + [0.5, 1.9, 0.7, 1.2, 0.3, 1.5, 0.9, 1.1][:rapid]

    assert judged(posts(*gaps, length=length)) == found


@pytest.mark.parametrize(
    ("times", "found"), [(11, {}), (12, {"repetition": 2}), (15, {"repetition": 4})]
)
def test_scores_repetition_when_it_goes_on(times, found):
    gaps = [10, 15, 7, 12, 30, 9, 11, 40, 8, 25, 13, 9, 31, 6][: times - 1]

    assert judged(posts(*gaps, text="same")) == found


@pytest.mark.parametrize(
    ("around", "found"),
    [
        (Neighbours(19, 7), {}),
        (Neighbours(20, 0), {"many_sessions": 2}),
        (Neighbours(40, 0), {"many_sessions": 4}),
        (Neighbours(8, 8), {"same_text": 2}),
        (Neighbours(16, 16), {"same_text": 4}),
    ],
)
def test_scores_a_farm_when_one_address_has_many_sessions(around, found):
    assert judged(posts(), around) == found


def test_counts_no_neighbours_when_there_is_no_bound():
    assert judged(posts(), Neighbours(1000), many=0) == {}


def test_judges_nothing_when_nothing_was_posted():
    assert bots.judge([], Neighbours(), many=20) == []


def test_says_why_in_words():
    (reason,) = bots.judge(posts(*[12] * 7), Neighbours(), many=20)

    assert reason.detail == "8 messages, 12.0 s apart, give or take 0%"
    assert bots.points([reason, reason]) == 8


def test_leaves_people_alone_and_catches_programs_by_the_report(capsys):
    """A short form of `make bot-report`, which prints the whole table."""
    people, waiting, *programs = bot_report.measure(groups=60, seed=7)

    assert people.of > 200
    assert people.found / people.of < 0.01, people.line()
    assert waiting.found == 0, waiting.line()
    for share in programs:
        assert share.found / share.of > 0.95, share.line()
    bot_report.main(groups=2, seed=1)
    assert "people suspected" in capsys.readouterr().out
