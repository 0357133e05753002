"""rows.py: each row names tests that there are, and each test of a row is named by it."""

import re

import pytest

from chatsite import env
from tests.abuse.rows import ROWS

FILES = sorted((env.BASE_DIR / "tests" / "abuse").glob("test_a*.py"))


@pytest.mark.parametrize("row", ROWS)
def test_names_tests_that_there_are(row):
    for one in ROWS[row]:
        path, _, name = one.partition("::")
        text = (env.BASE_DIR / path).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), one
    own = f"tests/abuse/test_a{int(row[1:]):02d}_"
    assert any(one.startswith(own) for one in ROWS[row]), "a row has a file of its own"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_names_its_row_in_each_test(file):
    number = re.match(r"test_a(\d\d)_", file.name)
    assert number, file.name
    assert 1 <= int(number[1]) <= 24
    names = re.findall(
        r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert names
    if f"A{int(number[1])}" in ROWS:
        assert all(name.startswith(f"test_a{number[1]}_") for name in names), names
