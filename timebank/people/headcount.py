"""How many people live in each area."""

from uuid import UUID

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.scope import Scope


async def people_in_areas(scope: Scope) -> dict[UUID, int]:
    """How many active people live in each grid, building and unit, the areas inside it included."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.fetch(
            "SELECT step.id, count(*) AS people FROM person p "
            "JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id "
            "JOIN area place ON place.community_id = h.community_id AND place.id = h.area_id "
            "CROSS JOIN LATERAL unnest(place.path) AS step (id) "
            "WHERE p.community_id = $1 AND p.status = 'active' GROUP BY step.id",
            scope.community_id,
        )
    return {UUID(bytes=record["id"].bytes): record["people"] for record in found}
