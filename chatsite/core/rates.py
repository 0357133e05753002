"""Rates as settings say them: `10/minute`, `5/2h`."""

import re
from typing import Final

_RATE: Final = re.compile(r"\d+/(?P<times>[1-9]\d*)?(?P<unit>s|m|h|d|second|minute|hour|day)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def most(rate: str) -> int:
    """How many may come in the rate's window."""
    return int(rate.partition("/")[0])


def seconds(rate: str) -> int:
    """The length of the rate's window; raises ValueError where it is none."""
    found = _RATE.fullmatch(rate)
    if found is None:
        raise ValueError("must be like 10/minute, or 5/2h")
    return int(found["times"] or 1) * _SECONDS[found["unit"][0]]
