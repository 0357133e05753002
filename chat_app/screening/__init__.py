"""The screening of visitors' messages: pure, linear in the length of the text."""

from chat_app.screening.judge import screen
from chat_app.screening.verdict import Label, Verdict

__all__ = ["Label", "Verdict", "screen"]
