"""The dashboard: a period's figures beside those of the one before, as a page and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from chat_app import budgets
from chat_app.console import charts, figures, totals
from chat_app.console.access import viewer
from chat_app.console.charts import Series
from chat_app.console.figures import Model, Period
from chat_app.console.filters import Filters, read
from chat_app.console.totals import Figures

_LIST = "admin:sessions_app_chatsession_changelist"
_SPANS: Final = ((1, "Today"), (7, "7 days"), (30, "30 days"), (90, "90 days"))
_LONGEST: Final = 92
_MOST_ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: what it was before, and where the conversations behind it are."""

    name: str
    value: str
    change: str = ""
    href: str = ""
    note: str = ""


def page(request: HttpRequest) -> HttpResponse:
    """The figures of `?since=…&until=…` (days, UTC), else of the last seven days."""
    viewer(request)
    period, chosen = _period(request)
    now, before = totals.of(period), totals.of(period.before)
    if request.GET.get("format") == "csv":
        return _csv(period, now)
    context = {
        **admin.site.each_context(request),
        "title": "Dashboard",
        "period": period,
        "last_day": period.days[-1],
        "before": period.before,
        "chosen": chosen,
        "spans": [(name, *_span(days), days == len(period.days)) for days, name in _SPANS],
        "tiles": _tiles(now, before, chosen),
        "now": now,
        "charts": _charts(period, now, before),
        "days": _rows(period, now),
        "models": _models(now, chosen)[:_MOST_ROWS],
        "causes": _causes(now)[:_MOST_ROWS],
        "pending": len(now.pending) + len(before.pending),
        "lists": {name: _href(chosen, label=name) for name in ("degraded", "fallback")},
    }
    return TemplateResponse(request, "admin/console/dashboard.html", context)


def _period(request: HttpRequest) -> tuple[Period, Filters]:
    chosen = read(request.GET)
    today = timezone.now().date()
    until = _date(chosen.until) or today
    since = _date(chosen.since) or until - timedelta(days=6)
    since = max(min(since, until), until - timedelta(days=_LONGEST - 1))
    period = Period(_midnight(since), _midnight(until + timedelta(days=1)))
    return period, Filters(since=since.isoformat(), until=until.isoformat())


def _tiles(now: Figures, before: Figures, chosen: Filters) -> list[list[Tile]]:
    """A row of what was said, one of how the models did, one of what it took."""
    return [
        list(row(now, before, chosen)) for row in (_tiles_said, _tiles_answers, _tiles_spending)
    ]


def _tile(name: str, value: float, earlier: float, shown: str = "", **more: str) -> Tile:
    return Tile(name, shown or f"{value:,.0f}", _change(value, earlier), **more)


def _tiles_said(now: Figures, before: Figures, chosen: Filters) -> Iterable[Tile]:
    out, was = now.sum.outcomes, before.sum.outcomes
    started, earlier = now.sum.started, before.sum.started
    yield _tile("Conversations", started, earlier, href=_href(chosen))
    yield _tile("Messages", now.messages, before.messages, href=_href(chosen))
    yield _tile("By the AI alone", out["ai"], was["ai"], href=_href(chosen, label="ai_only"))
    yield _tile("With staff", out["staff"], was["staff"], href=_href(chosen, label="staff"))
    yield _tile("Not answered", out["none"], was["none"], href=_href(chosen, label="unanswered"))


def _tiles_answers(now: Figures, before: Figures, chosen: Filters) -> Iterable[Tile]:
    sums, were = now.sum, before.sum
    for name, times, earlier in (
        ("First token", now.first_token, before.first_token),
        ("Whole answer", now.answer, before.answer),
    ):
        yield Tile(
            name,
            _seconds(times.p50),
            _change(times.p50 or 0, earlier.p50 or 0),
            href=_href(chosen),
            note=f"p95 {_seconds(times.p95)}",
        )
    for name, value, was, label in (
        ("No model answered", sums.degraded, were.degraded, "degraded"),
        ("By another model", sums.fallbacks.total(), were.fallbacks.total(), "fallback"),
        ("Safety answers", sums.safety, were.safety, "safety"),
    ):
        yield _tile(name, value, was, href=_href(chosen, label=label))


def _tiles_spending(now: Figures, before: Figures, chosen: Filters) -> Iterable[Tile]:
    yield _tile("Cost", float(now.cost), float(before.cost), f"${now.cost:,.2f}",
                href=_href(chosen))  # fmt: skip
    yield _tile("Tokens", now.tokens, before.tokens, _thousands(now.tokens), href=_href(chosen))
    budget = budgets.state()
    if budget.status != "off":
        spent = f"{budget.used.tokens:,} tokens, ${budget.used.cost:,.2f}"
        yield Tile("Budget used today", f"{budget.share:.0%}", note=f"{budget.status}: {spent}")
    yield _tile("Over a limit", now.refused or 0, before.refused or 0,
                shown="" if now.refused is not None else "–")  # fmt: skip
    yield _tile("Blocked visitors", now.sum.blocks, before.sum.blocks, href=_block_href())
    due = reverse("admin:notifications_delivery_changelist") + "?status__exact=due"
    waiting = f"{figures.deliveries_due():,}"
    yield Tile("Deliveries waiting", waiting, note="for Discord, now", href=due)


def _charts(period: Period, now: Figures, before: Figures) -> dict[str, Any]:
    days, earlier = period.days, period.before.days
    labels, hrefs = [f"{day:%-d %b}" for day in days], [_day_href(day) for day in days]
    said = [
        Series(name, css, [now.day(day).said[kind] for day in days])
        for name, css, kind in (
            ("Visitors", "bar-user", "user"),
            ("AI", "bar-ai", "assistant"),
            ("Staff", "bar-staff", "staff"),
        )
    ]
    outcomes = [
        Series("AI alone", "bar-ai", [now.sum.outcomes["ai"]]),
        Series("With staff", "bar-staff", [now.sum.outcomes["staff"]]),
        Series("Not answered", "bar-none", [now.sum.outcomes["none"]]),
    ]
    started = Series("Started", "bar-user", [now.day(day).started for day in days])
    past = Series("Before", "line-before", [before.day(day).started for day in earlier])
    return {
        "messages": charts.stacked(labels, said, title="Messages by day", hrefs=hrefs),
        "started": charts.compared(
            labels, started, past, title="Conversations started by day", hrefs=hrefs
        ),
        "outcomes": charts.split(outcomes, title="Who answered"),
        "week": charts.week(now.hours, title="Conversations started by weekday and hour"),
        "week_said": charts.week(now.said_hours, title="Messages by weekday and hour"),
        "said": said,
        "shares": [(one, _share(one.values[0], now.sum.outcomes.total())) for one in outcomes],
    }


def _causes(now: Figures) -> list[tuple[str, int, int]]:
    """Why models failed: how often no other answered either, and how often one did."""
    failed, caught = now.sum.failures, now.sum.fallbacks
    return [(cause, failed[cause], caught[cause]) for cause, _ in (failed + caught).most_common()]


def _models(now: Figures, chosen: Filters) -> list[tuple[str, Model, str]]:
    found = sorted(now.sum.models.items(), key=lambda one: -one[1].answers)
    return [(name, model, _href(chosen, model=name)) for name, model in found]


def _rows(period: Period, now: Figures) -> list[dict[str, Any]]:
    return [
        {
            "day": day,
            "is_counted": day in now.days,
            "started": now.day(day).started,
            "visitors": now.day(day).said["user"],
            "ai": now.day(day).said["assistant"],
            "staff": now.day(day).said["staff"],
            "href": _day_href(day),
        }
        for day in period.days
    ]


def _csv(period: Period, now: Figures) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["day", "conversations", "visitors", "ai", "staff"])
    for row in _rows(period, now):
        names = ("started", "visitors", "ai", "staff")
        counts = [row[name] if row["is_counted"] else "" for name in names]
        writer.writerow([row["day"], *counts])
    writer.writerow([])
    writer.writerow(["figure", "value"])
    writer.writerows(_facts(now))
    name = f"chatsite-{period.since:%Y%m%d}-{period.days[-1]:%Y%m%d}.csv"
    return HttpResponse(
        out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _facts(now: Figures) -> Iterable[tuple[str, Any]]:
    yield "answered by AI alone", now.sum.outcomes["ai"]
    yield "answered with staff", now.sum.outcomes["staff"]
    yield "not answered", now.sum.outcomes["none"]
    yield "first token p50 ms", now.first_token.p50
    yield "first token p95 ms", now.first_token.p95
    yield "answer p50 ms", now.answer.p50
    yield "answer p95 ms", now.answer.p95
    yield "no model answered", now.sum.degraded
    yield "safety answers", now.sum.safety
    yield "blocks", now.sum.blocks
    yield "requests over a limit", now.refused
    yield "days yet to be counted", len(now.pending)
    for cause, number in now.sum.failures.most_common():
        yield f"failed: {cause}", number
    for cause, number in now.sum.fallbacks.most_common():
        yield f"another model answered: {cause}", number
    for name, model in now.sum.models.items():
        yield f"{name} answers", model.answers
        yield f"{name} tokens", model.prompt_tokens + model.completion_tokens
        yield f"{name} cost USD", model.cost


def _href(chosen: Filters, **more: str) -> str:
    return f"{reverse(_LIST)}?{chosen.query(**more)}"


def _day_href(day: date) -> str:
    return _href(Filters(since=f"{day}", until=f"{day}"))


def _block_href() -> str:
    return reverse("admin:sessions_app_block_changelist")


def _span(days: int) -> tuple[str, str]:
    today = timezone.now().date()
    return (today - timedelta(days=days - 1)).isoformat(), today.isoformat()


def _change(now: float, before: float) -> str:
    if not before:
        return ""
    percent = round((now - before) / before * 100)
    return f"{'+' if percent > 0 else '−' if percent < 0 else '±'}{abs(percent)} %"


def _seconds(ms: int | None) -> str:
    return "–" if ms is None else f"{ms / 1000:.2f} s"


def _thousands(number: int) -> str:
    if number >= 1_000_000:
        return f"{number / 1_000_000:.1f} M"
    return f"{number / 1000:.0f} k" if number >= 10_000 else f"{number:,}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def _date(value: str) -> date | None:
    return date.fromisoformat(value) if value else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
