"""Daily budgets of tokens and of money, of each session and of all: taken before a model is asked.

What is taken is given back where less was used. What a dying worker had taken stays counted: the
provider may well have worked for it. Days are those of UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final, Literal

from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from chat_app.models import Spending
from chatsite.core.errors import Problem

Scope = Literal["all", "session"]

_ALL: Final = ""
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
    taken = Taken(timezone.now().date(), session_id, most)
    if _take(taken):
        return taken
    # The rows may be missing, or others may be making them at this moment.
    _begin(taken)
    if _take(taken):
        return taken
    raise Spent(_which(taken))


def settle(changes: Sequence[tuple[Taken, Amount]]) -> None:
    """Give back what of the taken amounts was not used, or add what was used beyond them."""
    differences: dict[tuple[date, str], tuple[int, int]] = {}
    for taken, used in changes:
        tokens = used.tokens - taken.amount.tokens
        billionths = used.billionths - taken.amount.billionths
        for key in ((taken.day, _ALL), (taken.day, taken.session_id)):
            before = differences.get(key, (0, 0))
            differences[key] = (before[0] + tokens, before[1] + billionths)
    table = connection.ops.quote_name(Spending._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET tokens = tokens + %s, billionths = billionths + %s"  # noqa: S608  (a name of our own)
            " WHERE day = %s AND scope = %s",
            [
                (*difference, connection.ops.adapt_datefield_value(day), scope)
                for (day, scope), difference in sorted(differences.items(), reverse=True)
            ],
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
def _take(taken: Taken) -> bool:
    """Add to both rows within both limits, or to none."""
    # In one order, as `settle` does, and last the row of all: held for as short as can be.
    for scope in (taken.session_id, _ALL):
        added = _rows(taken).filter(_fits(taken, scope))
        if not added.update(
            tokens=F("tokens") + taken.amount.tokens,
            billionths=F("billionths") + taken.amount.billionths,
        ):
            transaction.set_rollback(True)
            return False
    return True


def _rows(taken: Taken) -> QuerySet[Spending]:
    return Spending.objects.filter(day=taken.day, scope__in=(_ALL, taken.session_id))


def _fits(taken: Taken, scope: str) -> Q:
    tokens, cost = _limits(scope)
    found = Q(scope=scope)
    if tokens:
        found &= Q(tokens__lte=tokens - taken.amount.tokens)
    if cost:
        found &= Q(billionths__lte=Amount(cost=cost).billionths - taken.amount.billionths)
    return found


def _limits(scope: str) -> tuple[int, Decimal]:
    """Tokens and dollars a day; 0 is no limit."""
    if scope == _ALL:
        return settings.DAILY_TOKENS, Decimal(str(settings.DAILY_COST))
    return settings.SESSION_DAILY_TOKENS, Decimal(str(settings.SESSION_DAILY_COST))


def _begin(taken: Taken) -> None:
    _, is_new_day = Spending.objects.get_or_create(day=taken.day, scope=_ALL)
    Spending.objects.get_or_create(day=taken.day, scope=taken.session_id)
    if is_new_day:  # sessions' rows of days that are over are of no use
        old = Spending.objects.filter(day__lt=taken.day - timedelta(days=1))
        old.exclude(scope=_ALL).delete()


def _which(taken: Taken) -> Scope:
    alls = Spending.objects.filter(day=taken.day, scope=_ALL)
    if alls.filter(_fits(taken, _ALL)).exists():
        return "session"
    alls.update(refused_at=timezone.now())
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
