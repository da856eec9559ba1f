"""The totals of each currency, from the stored daily totals, the later transfers and the present holds."""

from datetime import UTC, date, datetime

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.ledger.posting import Currency
from timebank.ledger.schemas import Totals

NOTHING = Totals(
    issued=0, outstanding=0, held=0, redeemed=0, expired=0, donated=0, converted=0, adjusted=0, clearing=0, owed=0
)
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
TAKERS = ("redeemed", "expired", "donated", "converted", "adjusted", "clearing")

# What each system account gave and took since a moment. The last counted day is read again from its transfers, because
# a posting may have been under way when it was counted.
_SINCE = """
SELECT a.currency, a.bucket, coalesce(gave.amount, 0) AS given, coalesce(got.amount, 0) AS taken FROM account a
CROSS JOIN LATERAL (SELECT sum(t.amount)::bigint AS amount FROM transfer t
    WHERE t.community_id = $1 AND t.debit_account = a.id AND t.posted_at >= $2) gave
CROSS JOIN LATERAL (SELECT sum(t.amount)::bigint AS amount FROM transfer t
    WHERE t.community_id = $1 AND t.credit_account = a.id AND t.posted_at >= $2) got
WHERE a.community_id = $1 AND a.owner_kind = 'system' AND a.owner_id = $1
"""
_BEFORE = """
SELECT currency, bucket, sum(given)::bigint AS given, sum(taken)::bigint AS taken FROM day_total
WHERE community_id = $1 AND day >= $2 AND day < $3 GROUP BY currency, bucket
"""
_HELD = (
    "SELECT currency, sum(balance)::bigint AS amount FROM account "
    "WHERE community_id = $1 AND bucket = 'held' AND balance > 0 GROUP BY currency"
)
_OWED = (
    "SELECT currency, sum(amount - repaid)::bigint AS amount FROM debt "
    "WHERE community_id = $1 AND repaid < amount GROUP BY currency"
)


class _Amount(msgspec.Struct, frozen=True):
    currency: str
    amount: int


class _Moved(msgspec.Struct, frozen=True):
    currency: str
    bucket: str
    given: int
    taken: int


async def totals(scope: Scope) -> dict[str, Totals]:
    """The totals of each currency over all people and all time; for administrators and auditors.

    `outstanding` is computed as the rest of what was issued; the ledger check sums the accounts of people instead.
    """
    scope.require_reader()
    async with transaction(scope), database.gathering() as reads:
        read = reads.start(_taken_since(scope, date.min))
        holds = reads.start(database.rows(_Amount, _HELD, scope.community_id))
        debts = reads.start(database.rows(_Amount, _OWED, scope.community_id))
    taken = read.result()
    held = {each.currency: each.amount for each in holds.result()}
    owed = {each.currency: each.amount for each in debts.result()}
    return {c.value: _totals(taken, c.value, held.get(c.value, 0), owed.get(c.value, 0)) for c in Currency}


async def issued_since(scope: Scope, day: date, currency: Currency) -> int:
    """How much was issued since a local day, less what went back to the issuing account."""
    async with transaction(scope):
        return -(await _taken_since(scope, day)).get((currency.value, "issued"), 0)


class _LastDay(msgspec.Struct, frozen=True):
    last: date | None


async def last_counted_day(scope: Scope) -> date | None:
    """The last day whose totals are stored."""
    async with transaction(scope):
        found = await database.row(
            _LastDay, "SELECT max(day) AS last FROM day_total WHERE community_id = $1", scope.community_id
        )
    return found.last if found else None


async def _taken_since(scope: Scope, first: date) -> dict[tuple[str, str], int]:
    """What each system account took in since a day, less what it gave out, by (currency, bucket)."""
    last = await last_counted_day(scope)
    begin = max(first, last) if last else first
    since = clock.day_bounds(begin)[0] if begin > date.min else FIRST_MOMENT
    async with database.gathering() as reads:
        listed = [reads.start(database.rows(_Moved, _SINCE, scope.community_id, since))]
        if last and first < last:
            listed.append(reads.start(database.rows(_Moved, _BEFORE, scope.community_id, first, last)))
    taken: dict[tuple[str, str], int] = {}
    for row in (row for read in listed for row in read.result()):
        key = (row.currency, row.bucket)
        taken[key] = taken.get(key, 0) + row.taken - row.given
    return taken


def _totals(taken: dict[tuple[str, str], int], currency: str, held: int, owed: int) -> Totals:
    issued = -taken.get((currency, "issued"), 0)
    places = {bucket: taken.get((currency, bucket), 0) for bucket in TAKERS}
    outstanding = issued - sum(places.values()) - held
    return Totals(issued=issued, outstanding=outstanding, held=held, owed=owed, **places)


async def has_credited(scope: Scope) -> bool:
    """Whether the community has credited anything yet. Before that its administrator sets rules and policies alone."""
    async with transaction(scope):
        return await database.read_value(
            bool, "SELECT EXISTS (SELECT FROM transfer WHERE community_id = $1)", scope.community_id
        )
