"""The days of the books: counted and closed one after another, and what runs out on them.

The database's own clock decides whether a day is over: the clock of one wrong process must not expire anything.
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
    """Move what ran out on a closed day, as far as it was announced; of how many accounts something was moved."""
    async with transaction(scope):
        moved: int = await database.fetch_value(
            "SELECT ledger_expire($1, $2, $3, $4)", scope.community_id, clock.local_day(), clock.now(), limit
        )
    return moved


@retried
async def announce(scope: Scope, person_id: UUID, currency: Currency, day: date, amount: int) -> bool:
    """Note that a person is told what runs out on a day; so much expires by itself. False when the database's clock
    says that the day is over or far away: this process's clock is wrong, and nobody is to be told."""
    async with transaction(scope):
        noted: bool = await database.fetch_value(
            "SELECT ledger_announce($1, $2, $3, $4, $5)", scope.community_id, person_id, currency.value, day, amount
        )
    return noted


@retried
async def approve_expiry(scope: Scope, currency: Currency, day: date, amount: int, *, skipped: bool = False) -> bool:
    """Let everything that is left of a closed day expire, announced or not. False, with nothing changed, when it
    is not this amount that waits: what was not announced or, of a day that was `skipped`, all of it."""
    async with transaction(scope):
        approved: bool = await database.fetch_value(
            "SELECT ledger_approve_expiry($1, $2, $3, $4, $5)",
            scope.community_id, day, currency.value, amount, skipped,
        )  # fmt: skip
    return approved


@retried
async def close_day(scope: Scope, day: date) -> bool:
    """Count one local day of the community's system accounts; repeatable. False while the database's clock is not past
    it."""
    async with transaction(scope):
        counted: bool = await database.fetch_value(
            "SELECT ledger_close_day($1, $2, $3, $4)", scope.community_id, day, *clock.day_bounds(day)
        )
    return counted


class Closing(StrEnum):
    """How closing days went: done; the database's clock is not past them; too many at once, a person has to confirm."""

    closed = "closed"
    not_over = "not_over"
    skips = "skips"


@retried
async def close_until(scope: Scope, day: date, *, confirmed: bool = False) -> Closing:
    """Close the days up to this one: what ran out on them may expire. Nothing goes on while it answers `skips`."""
    async with transaction(scope):
        answer = await database.fetch_value(
            "SELECT ledger_close_until($1, $2, $3, $4)", scope.community_id, day, clock.day_bounds(day)[1], confirmed
        )
    return Closing(answer)
