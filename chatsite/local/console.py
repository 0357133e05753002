"""What the person at the terminal sees: the children's lines, each under its process's name."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from typing import TextIO

OURS = "chatsite"
_WIDTH = len("notifications")
_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Console:
    """Writes whole lines to `stream`; in colour on a terminal, unless NO_COLOR asks for none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """One line of a process."""
        head = self._paint(f"{name:<{_WIDTH}} |", self._colour(name))
        self._write(f"{head} {text if self._is_coloured else _ESCAPES.sub('', text)}\n")

    def say(self, text: str) -> None:
        """One line of our own."""
        self.line(OURS, text)

    def warn(self, text: str) -> None:
        """One line of our own that must be seen."""
        self.line(OURS, self._paint(text, 31))

    def block(self, title: str, rows: Sequence[tuple[str, str]], foot: str) -> None:
        """A few rows that stand apart from the lines."""
        width = max(len(name) for name, _ in rows)
        body = "".join(f"  {self._paint(f'{name:<{width}}', 2)}  {text}\n" for name, text in rows)
        self._write(f"\n  {self._paint(title, 1)}\n\n{body}\n  {foot}\n\n")

    def _colour(self, name: str) -> int:
        return self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])

    def _paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._is_coloured else text

    def _write(self, text: str) -> None:
        # A terminal that was closed, or a reader that is gone, must not keep us from stopping.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
