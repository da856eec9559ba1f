"""Closing the local days of the ledger: daily totals are counted, and points of a closed day can expire.

The database's clock decides whether a day is over, so that a process with a wrong clock cannot expire anything.
"""

from datetime import date
from enum import StrEnum
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.ledger.posting import Currency


@retried
async def expire(scope: Scope, limit: int = 500) -> int:
    """Expire what ended on a closed day and was announced, of up to `limit` accounts; returns their number."""
    async with transaction(scope):
        moved: int = await database.fetch_value(
            "SELECT ledger_expire($1, $2, $3, $4)", scope.community_id, clock.local_day(), clock.now(), limit
        )
    return moved


@retried
async def announce(scope: Scope, person_id: UUID, currency: Currency, day: date, amount: int) -> bool:
    """Record that a person is notified of what expires on a day; only an announced amount expires automatically.

    False if by the database's clock the day is over or far away: the clock of this process is wrong, and the caller
    must not notify anybody.
    """
    async with transaction(scope):
        noted: bool = await database.fetch_value(
            "SELECT ledger_announce($1, $2, $3, $4, $5)", scope.community_id, person_id, currency.value, day, amount
        )
    return noted


@retried
async def approve_expiry(scope: Scope, currency: Currency, day: date, amount: int, *, skipped: bool = False) -> bool:
    """Approve that everything left of a closed day expires, announced or not.

    `amount` must be the amount that waits: what was not announced or, for a `skipped` day, everything. Otherwise
    nothing changes and it returns False.
    """
    async with transaction(scope):
        approved: bool = await database.fetch_value(
            "SELECT ledger_approve_expiry($1, $2, $3, $4, $5)",
            scope.community_id, day, currency.value, amount, skipped,
        )  # fmt: skip
    return approved


@retried
async def close_day(scope: Scope, day: date) -> bool:
    """Compute the totals of one local day of the community's system accounts; repeatable.

    False if the day is not over by the database's clock.
    """
    async with transaction(scope):
        counted: bool = await database.fetch_value(
            "SELECT ledger_close_day($1, $2, $3, $4)", scope.community_id, day, *clock.day_bounds(day)
        )
    return counted


class Closing(StrEnum):
    """The result of closing days.

    `closed`: done; `not_over`: the last day is not over by the database's clock; `skips`: more than seven days at once
    in which something would expire, which a person has to confirm.
    """

    closed = "closed"
    not_over = "not_over"
    skips = "skips"


@retried
async def close_until(scope: Scope, day: date, *, confirmed: bool = False) -> Closing:
    """Close the days up to this one, so that what ended on them may expire. After `skips` nothing has changed."""
    async with transaction(scope):
        answer = await database.fetch_value(
            "SELECT ledger_close_until($1, $2, $3, $4)", scope.community_id, day, clock.day_bounds(day)[1], confirmed
        )
    return Closing(answer)
