"""The short form of `make fuzz`: all that reads strangers' texts, without a clock."""

import pytest

from tests import fuzzing


@pytest.mark.no_cover
@pytest.mark.parametrize("name", fuzzing.READERS)
def test_reads_anything(name):
    fuzzing.fuzz(fuzzing.READERS[name], examples=60, start=1, is_timed=False)
