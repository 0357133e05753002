"""Daily budgets of tokens and of money, of each session and of all: taken before a model is asked.

What is taken is given back where less was used. What a dying worker had taken stays counted: the
provider may well have worked for it. Days are those of UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final, Literal

from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from django.utils import timezone

from chat_app.models import Spending
from chatsite.core import statements
from chatsite.core.errors import Problem

Scope = Literal["all", "session"]
_Row = tuple[Any, str, int, int]  # day, scope, tokens, billionths

_TABLE: Final = Spending._meta.db_table
_ALL: Final = ""
# Its last two values are the limits of tokens and of billionths.
_ADD: Final = (
    f"INSERT INTO {_TABLE} AS had (day, scope, tokens, billionths)"  # noqa: S608  (a name of our own)
    " VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (day, scope) DO UPDATE SET tokens = had.tokens + excluded.tokens,"
    " billionths = had.billionths + excluded.billionths"
    " WHERE had.tokens + excluded.tokens <= %s"
    " AND had.billionths + excluded.billionths <= %s RETURNING scope, tokens"
)
_ANY: Final = 2**62  # beyond what a column can hold of either in a thousand years
_BILLION: Final = 10**9
# A refusal says for so many seconds that all is spent, and each process asks no more often than
# every other second: a post costs no query.
_REFUSED_SECONDS: Final = 60
_MEMO_SECONDS: Final = 2
_LOW: Final = 0.8


class BudgetSpent(Problem):
    """Of today's budget nothing is left; the message was not taken."""

    code, status, title = "budget_spent", 503, "No more questions can be answered today"

    def __init__(self) -> None:
        wait = min(3600, _until_midnight())
        super().__init__(settings.LLM_BUDGET_TEXT, headers={"Retry-After": str(wait)})


class Spent(Exception):
    """What was asked for is more than is left today, of `scope`."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.scope, self.code = scope, f"budget_{scope}"


@dataclass(frozen=True, slots=True)
class Amount:
    """So many tokens, and US dollars."""

    tokens: int = 0
    cost: Decimal = Decimal()

    @property
    def billionths(self) -> int:
        """The cost in whole billionths of a dollar: databases add those exactly."""
        return int((self.cost * _BILLION).to_integral_value(ROUND_CEILING))


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken, of whose budget, on which day."""

    day: date
    session_id: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class State:
    """What was used today of the budget for all; `share` of the limit that is nearer, 0 to 1."""

    used: Amount
    share: float
    status: Literal["off", "ok", "low", "spent"]


def take(*, session_id: str, most: Amount) -> Taken:
    """Take what an answer may cost at most; raises Spent where that is more than is left."""
    (found,) = take_all([(session_id, most)])
    if isinstance(found, Spent):
        raise found
    return found


def take_all(wanted: Sequence[tuple[str, Amount]]) -> list[Taken | Spent]:
    """The same for many at once, in one statement where all of it fits."""
    day = timezone.now().date()
    taken = [Taken(day, session_id, most) for session_id, most in wanted]
    if _add(taken):
        return list(taken)
    return [one if _add([one]) else Spent(_which(one)) for one in taken]


def settle(changes: Sequence[tuple[Taken, Amount]]) -> None:
    """Give back what of the taken amounts was not used, or add what was used beyond them."""
    rows = _rows(
        (taken, used.tokens - taken.amount.tokens, used.billionths - taken.amount.billionths)
        for taken, used in changes
    )
    statements.each(
        f"UPDATE {_TABLE} SET tokens = tokens + %s, billionths = billionths + %s"  # noqa: S608  (a name of our own)
        " WHERE day = %s AND scope = %s",
        [(tokens, billionths, day, scope) for day, scope, tokens, billionths in rows],
    )


def refuse_spent() -> None:
    """Raise BudgetSpent where the budget for all was found to be spent within the last minute."""
    here = caches["local"]
    is_spent = here.get("budget-spent")
    if is_spent is None:
        is_spent = _was_refused()
        here.set("budget-spent", is_spent, _MEMO_SECONDS)
    if is_spent:
        raise BudgetSpent


def state() -> State:
    """How today's budget for all is."""
    row = Spending.objects.filter(day=timezone.now().date(), scope=_ALL).first() or Spending()
    used = Amount(row.tokens, Decimal(row.billionths) / _BILLION)
    tokens, cost = _limits(_ALL)
    if not (tokens or cost):
        return State(used, 0.0, "off")
    share = max(used.tokens / tokens if tokens else 0.0, float(used.cost / cost) if cost else 0.0)
    if share >= 1 or (row.refused_at is not None and row.refused_at > _lately()):
        return State(used, min(share, 1.0), "spent")
    return State(used, share, "low" if share >= _LOW else "ok")


@transaction.atomic
def _add(all_taken: Sequence[Taken]) -> bool:
    """Add all of it within all limits, or nothing."""
    rows = _rows((one, one.amount.tokens, one.amount.billionths) for one in all_taken)
    # What is more than a whole day's would pass where there is no row yet.
    added = _upsert(rows) if all(_fits(*row[1:]) for row in rows) else {}
    if len(added) < len(rows):
        transaction.set_rollback(True)
        return False
    if (_ALL, added.get(_ALL)) in {row[1:3] for row in rows}:  # the day's first
        _forget(before=all_taken[0].day)
    return True


def _upsert(rows: Sequence[_Row]) -> dict[str, int]:
    """Add to the rows where that stays within their limits, and make those that are missing.

    The tokens of each that was added to.
    """
    return dict(statements.each(_ADD, [[*row, *_most(row[1])] for row in rows]))


def _rows(amounts: Iterable[tuple[Taken, int, int]]) -> list[_Row]:
    """What is to be added to which row: each once, in the one order in which they are locked.

    Last the row of all: it is everybody's, and held for as short as can be.
    """
    sums: dict[tuple[date, str], tuple[int, int]] = {}
    for taken, tokens, billionths in amounts:
        for key in ((taken.day, _ALL), (taken.day, taken.session_id)):
            before = sums.get(key, (0, 0))
            sums[key] = (before[0] + tokens, before[1] + billionths)
    return [
        (connection.ops.adapt_datefield_value(day), scope, *added)
        for (day, scope), added in sorted(sums.items(), reverse=True)
    ]


def _fits(scope: str, tokens: int, billionths: int) -> bool:
    most_tokens, most_billionths = _most(scope)
    return tokens <= most_tokens and billionths <= most_billionths


def _most(scope: str) -> tuple[int, int]:
    """Tokens and billionths a day."""
    tokens, cost = _limits(scope)
    return tokens or _ANY, Amount(cost=cost).billionths or _ANY


def _limits(scope: str) -> tuple[int, Decimal]:
    """Tokens and dollars a day; 0 is no limit."""
    if scope == _ALL:
        return settings.DAILY_TOKENS, Decimal(str(settings.DAILY_COST))
    return settings.SESSION_DAILY_TOKENS, Decimal(str(settings.SESSION_DAILY_COST))


def _forget(*, before: date) -> None:
    """Sessions' rows of days that are over are of no use."""
    old = Spending.objects.filter(day__lt=before - timedelta(days=1))
    old.exclude(scope=_ALL).delete()


def _which(taken: Taken) -> Scope:
    alls, _ = Spending.objects.get_or_create(day=taken.day, scope=_ALL)
    added = (alls.tokens + taken.amount.tokens, alls.billionths + taken.amount.billionths)
    if _fits(_ALL, *added):
        return "session"
    Spending.objects.filter(pk=alls.pk).update(refused_at=timezone.now())
    return "all"


def _was_refused() -> bool:
    today = Spending.objects.filter(day=timezone.now().date(), scope=_ALL)
    return today.filter(refused_at__gt=_lately()).exists()


def _lately() -> datetime:
    return timezone.now() - timedelta(seconds=_REFUSED_SECONDS)


def _until_midnight() -> int:
    now = timezone.now()
    end = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return max(1, int((end - now).total_seconds()))
