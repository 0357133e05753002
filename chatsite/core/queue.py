"""The names of the tasks, and which queue each belongs to."""

from typing import Final

ANSWER: Final = "chat_app.tasks.answer"
SWEEP_ANSWERS: Final = "chat_app.tasks.sweep"
COUNT_DAYS: Final = "chat_app.tasks.count_days"
EXPIRE_SESSIONS: Final = "sessions_app.tasks.expire"
SEND_CODES: Final = "sessions_app.tasks.send_codes"
DELIVER: Final = "notifications.tasks.deliver"

ROUTES: Final = {
    ANSWER: {"queue": "replies"},
    SWEEP_ANSWERS: {"queue": "replies"},
    COUNT_DAYS: {"queue": "replies"},
    EXPIRE_SESSIONS: {"queue": "notifications"},
    SEND_CODES: {"queue": "notifications"},
    DELIVER: {"queue": "notifications"},
}

NAMES: Final = ("replies", "notifications")
