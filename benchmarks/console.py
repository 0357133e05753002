"""`python benchmarks/console.py`: p95 and query counts of the console's pages, on DATABASE_URL.

Fill it first: `manage.py demo_data --sessions 100000 --days 180`. The pages are asked in this
process, through all middleware and templates, without a network."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat_app.console import days, running
from chat_app.models import DayFigures

LIST = "/admin/sessions_app/chatsession/"
_TODAY = datetime.now(UTC).date()
PAGES = (
    "", "?page=50", "?who=human", "?state=open", "?label=unanswered", "?label=degraded",
    "?label=screened", "?label=staff", "?label=ai_only", "?cost=0.01", "?least=20",
    f"?since={_TODAY - timedelta(days=60)}&until={_TODAY - timedelta(days=58)}",
    "?q=order", "?q=refund", "?q=A-11049", "?q=%22student+discount%22", "?q=grinder+lisbon",
    "?q=nobodysaysthis", "?q=mei.77@example.org",
)  # fmt: skip
DASHBOARDS = (
    "dashboard/",
    f"dashboard/?since={_TODAY - timedelta(days=29)}&until={_TODAY}",
    f"dashboard/?since={_TODAY - timedelta(days=89)}&until={_TODAY}",
)


def main(rounds: int) -> None:
    """Ask each page so many times, after once to warm it; the dashboard before beat counts too."""
    user, _ = User.objects.get_or_create(username="benchmark", defaults={"is_staff": True})
    user.groups.set([Group.objects.get(name="Admin")])
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    print(f"{'page':52} {'first':>8} {'p50':>7} {'p95':>7}  queries")
    for page in PAGES:
        _measure(client, page, rounds)
    DayFigures.objects.all().delete()
    print("no day counted:")
    for page in DASHBOARDS:
        _measure(client, page, rounds)
    print(f"counted by beat in {_count():.1f} s:")
    for page in DASHBOARDS:
        _measure(client, page, rounds)
    user.delete()


def _measure(client: Client, page: str, rounds: int) -> None:
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(LIST + page).status_code == 200
    first, queries = time.perf_counter() - began, len(asked)
    times = sorted(_timed(client, LIST + page) for _ in range(rounds))
    p50, p95 = times[rounds // 2], times[int(rounds * 0.95)]
    shown = f"{first * 1000:8.0f} {p50 * 1000:7.0f} {p95 * 1000:7.0f}  {queries}"
    print(f"{page or '(the list)':52} {shown}", flush=True)


def _count() -> float:
    began = time.perf_counter()
    running.refresh()
    while days.keep_due():
        pass
    return time.perf_counter() - began


def _timed(client: Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
