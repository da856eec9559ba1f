"""The entries of one month of a statement, and the sum of each sort of them."""

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import Filters, most, transaction
from timebank.core.paging import Page, cursor_of, read_cursor
from timebank.core.scope import Scope
from timebank.ledger.posting import Currency
from timebank.ledger.statement import Entry, Line, statement, with_balances

Sort = Literal["earned", "spent", "expired", "returned"]
"""What an entry did: points came for something done, were spent or set aside, ran out, or went back or were corrected.

A kind that a capability adds is earned or spent by its sign.
"""


class AskedMonth(msgspec.Struct, frozen=True):
    """The first day of the month to read, None for that of the newest entry; and of one sort only, or of all."""

    first: date | None = None
    sort: Sort | None = None


class Month(msgspec.Struct, frozen=True):
    """A month of a statement. `changes`: the sum of each sort of its entries, whatever sort was asked for.

    The lines hold the balance after them only where `has_balances`: all sorts of the month of the newest entry.
    """

    first: date
    newest: date
    changes: dict[str, int]
    lines: Page[Line]
    has_balances: bool

    @property
    def change(self) -> int:
        return sum(self.changes.values())


class _Change(msgspec.Struct, frozen=True):
    sort: str
    amount: int


# The entries of a month. Legs between two own accounts cancel each other out. The order of the legs makes a planner
# without statistics take the index of their account.
_MONTH = """
WITH own AS (
    SELECT id FROM account WHERE community_id = $1 AND owner_kind = 'person' AND owner_id = $2 AND currency = $3
        AND bucket = 'available'
), moved AS (
    SELECT l.* FROM own CROSS JOIN LATERAL (
        SELECT t.*, -t.amount AS change FROM transfer t WHERE t.community_id = $1 AND t.debit_account = own.id
            AND t.posted_at >= $4 AND t.posted_at < $5 ORDER BY t.posted_at OFFSET 0) AS l
    UNION ALL
    SELECT l.* FROM own CROSS JOIN LATERAL (
        SELECT t.*, t.amount AS change FROM transfer t WHERE t.community_id = $1 AND t.credit_account = own.id
            AND t.posted_at >= $4 AND t.posted_at < $5 ORDER BY t.posted_at OFFSET 0) AS l
), entry AS (
    SELECT entry_id, max(posted_at) AS posted_at, max(occurred_at) AS occurred_at,
           (array_agg(kind ORDER BY leg))[1] AS kind, sum(change)::bigint AS amount, max(memo) AS memo,
           max(memo_kind) AS memo_kind, (array_agg(memo_values))[1]::text AS memo_values,
           max(source_kind) AS source_kind, (array_agg(source_id))[1] AS source_id, max(rule_code) AS rule_code,
           max(rule_version) AS rule_version
    FROM moved GROUP BY entry_id
), sorted AS (
    SELECT *, CASE WHEN kind = 'expiry' THEN 'expired'
        WHEN kind IN ('void', 'reversal', 'refund', 'repayment', 'adjustment', 'merge', 'move') THEN 'returned'
        WHEN amount > 0 THEN 'earned' ELSE 'spent' END AS sort
    FROM entry
)
{shown}
"""
_SUMS = "SELECT sort, sum(amount)::bigint AS amount FROM sorted GROUP BY sort"
_ROWS = (
    "SELECT sorted.*, false AS goes_on FROM sorted WHERE true{only} "
    "ORDER BY posted_at DESC, entry_id DESC LIMIT {count}"
)


async def month_of_statement(
    scope: Scope, person_id: UUID, currency: Currency, asked: AskedMonth, *, limit: int = 50, cursor: str | None = None
) -> Month:
    """The entries of one month, newest first, and what each sort of them came to."""
    at = read_cursor(cursor, tuple[datetime, UUID, int])
    async with transaction(scope):
        last = next(iter((await statement(scope, person_id, currency, limit=1)).items), None)
        newest = (clock.local_day() if last is None else clock.local_day(last.posted_at)).replace(day=1)
        first = asked.first or newest
        page = Filters(
            scope.community_id, person_id, currency.value, clock.day_bounds(first)[0],
            clock.day_bounds((first + timedelta(days=31)).replace(day=1))[0],
        )  # fmt: skip
        whole = tuple(page.values)
        page.add_given("sort = {}", asked.sort)
        if at:
            page.add("(posted_at, entry_id) < ({}, {})", *at[:2])
        rows = _MONTH.format(shown=_ROWS.format(only=page.sql, count=most(limit + 1)))
        async with database.gathering() as reads:
            read = reads.start(database.rows(Entry, rows, *page.values))
            summed = reads.start(database.rows(_Change, _MONTH.format(shown=_SUMS), *whole))
    balance = at[2] if at else 0 if last is None else last.balance
    lines = with_balances(read.result()[:limit], balance)
    more = len(read.result()) > limit
    after = cursor_of(lines[-1].posted_at, lines[-1].entry_id, lines[-1].balance - lines[-1].amount) if more else None
    changes = {change.sort: change.amount for change in summed.result()}
    return Month(first, newest, changes, Page(lines, after), asked.sort is None and first >= newest)
