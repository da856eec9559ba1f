"""How often people were asked to help lately, so that the same ones are not always asked."""

from collections.abc import Collection
from uuid import UUID

from timebank.core import clock, database
from timebank.core.database import transaction
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
