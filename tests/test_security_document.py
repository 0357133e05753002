"""docs/security.md: every promise names a test that there is, every row of the matrix a promise."""

import re

import pytest

from chatsite import env

TEXT = (env.BASE_DIR / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/.-]+\.py)::(test_\w+)`", TEXT)))
LINES = [line for line in TEXT.splitlines() if re.match(r"\| [AV]\d", line)]


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda part: part)
def test_names_a_test_that_there_is(path, name):
    code = (env.BASE_DIR / path).read_text(encoding="utf-8")

    assert re.search(rf"^(?:async )?def {name}\(", code, re.MULTILINE)


def test_has_each_row_of_the_matrix_once():
    rows = re.findall(r"(?m)^\| A(\d+) \|", TEXT)

    assert rows == [str(number) for number in range(1, 25)]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip())
def test_shows_each_promise_by_a_test(line):
    assert re.search(r"`tests/[\w/.-]+\.py::test_\w+`", line)


def test_names_only_items_of_levels_that_there_are():
    items = re.findall(r"(?m)^\| (V[\d.]+) \| (\d) \|", TEXT)

    assert len(items) == len({item for item, _ in items}) > 35
    assert all(1 <= int(item[1:].split(".")[0]) <= 17 for item, _ in items)
    assert {level for _, level in items} <= {"1", "2", "3"}


def test_links_to_files_that_there_are():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (env.BASE_DIR / "docs" / target).resolve().is_file(), target
