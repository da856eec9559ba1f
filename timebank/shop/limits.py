"""The monthly limit: a counter per household, good and local month that never exceeds the limit."""

from datetime import date
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope


class MonthlyLimitReached(TimebankError):
    code = "monthly_limit_reached"
    status = 422
    sentence = "这种物品每户每月限换 {limit} 件，您家本月已换 {taken} 件。请下个月再换。"


class Taken(msgspec.Struct, frozen=True):
    good_id: UUID
    quantity: int


def month_of(day: date) -> date:
    return day.replace(day=1)


async def count_taken(scope: Scope, household_id: UUID, good_id: UUID, quantity: int, limit: int | None) -> None:
    """Add to a household's count of this local month. Raises MonthlyLimitReached where the sum exceeds the limit."""
    month = month_of(clock.local_day())
    counted = limit is None or quantity <= limit
    if counted:
        tag = await database.execute(
            "INSERT INTO household_month AS h (community_id, household_id, good_id, month, quantity) "
            "VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (community_id, household_id, good_id, month) DO UPDATE SET quantity = h.quantity + $5 "
            "WHERE $6::integer IS NULL OR h.quantity + $5 <= $6",
            scope.community_id, household_id, good_id, month, quantity, limit,
        )  # fmt: skip
        counted = tag == "INSERT 0 1"
    if not counted:
        raise MonthlyLimitReached(limit=limit, taken=await _counted(scope, household_id, good_id, month))


async def uncount_taken(scope: Scope, household_id: UUID, good_id: UUID, quantity: int, day: date) -> None:
    """Subtract from the household's count of the month in which `day` lies."""
    await database.execute(
        "UPDATE household_month SET quantity = quantity - $5 "
        "WHERE community_id = $1 AND household_id = $2 AND good_id = $3 AND month = $4",
        scope.community_id, household_id, good_id, month_of(day), quantity,
    )  # fmt: skip


async def taken_this_month(scope: Scope, person_id: UUID) -> dict[UUID, int]:
    """How many of each good the person's household has taken in this local month."""
    async with transaction(scope):
        found = await database.rows(
            Taken,
            "SELECT h.good_id, h.quantity FROM household_month h WHERE h.community_id = $1 AND h.month = $3 "
            "AND h.household_id = (SELECT coalesce(p.household_id, p.id) FROM person p "
            "WHERE p.community_id = $1 AND p.id = $2)",
            scope.community_id, person_id, month_of(clock.local_day()),
        )  # fmt: skip
    return {taken.good_id: taken.quantity for taken in found}


async def _counted(scope: Scope, household_id: UUID, good_id: UUID, month: date) -> int:
    quantity: int | None = await database.fetch_value(
        "SELECT quantity FROM household_month "
        "WHERE community_id = $1 AND household_id = $2 AND good_id = $3 AND month = $4",
        scope.community_id, household_id, good_id, month,
    )  # fmt: skip
    return quantity or 0
