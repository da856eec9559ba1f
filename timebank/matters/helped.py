"""Who has helped with what: for the hours that follow from it, and so that the same people are not always asked."""

from collections.abc import Collection
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope


async def orders_in_month(scope: Scope, person_ids: Collection[UUID]) -> dict[UUID, int]:
    """By person: how many orders and wishes they have taken since the first of the month and not left again."""
    if not person_ids:
        return {}
    begin, _end = clock.day_bounds(clock.local_day().replace(day=1))
    async with transaction(scope):
        found = await database.fetch(
            "SELECT person_id, count(*) AS orders FROM matter_helper WHERE community_id = $1 "
            "AND person_id = ANY ($2::text[]::uuid[]) AND took_at >= $3 AND left_at IS NULL GROUP BY person_id",
            scope.community_id, database.as_texts(person_ids), begin,
        )  # fmt: skip
    return {UUID(bytes=row["person_id"].bytes): row["orders"] for row in found}


async def matter_helped(scope: Scope, helper_id: UUID) -> UUID:
    """The matter that this help was for. Raises NotFound. It says nothing of the matter."""
    async with transaction(scope):
        found = await database.fetch_value(
            "SELECT matter_id FROM matter_helper WHERE community_id = $1 AND id = $2", scope.community_id, helper_id
        )
    if found is None:
        raise NotFound
    return UUID(bytes=found.bytes)
