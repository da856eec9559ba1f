"""Places that were added by mistake, taken off the map again."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import audit, database
from timebank.core.capability import unused
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def withdraw_areas(scope: Scope, area_ids: Sequence[UUID]) -> int:
    """Remove those of these grids, buildings and units that nobody lives in, holds or names; how many went."""
    scope.require_admin()
    gone: list[UUID] = []
    async with transaction(scope):
        for kind in ("unit", "building", "grid"):
            removed = await database.fetch(
                "DELETE FROM area a WHERE a.community_id = $1 AND a.id = ANY ($2) AND a.kind = $3 "  # noqa: S608  # own text
                "AND NOT EXISTS (SELECT FROM area b WHERE b.community_id = $1 AND b.parent_id = a.id) "
                f"AND {unused('area', 'a.id')} RETURNING a.id",
                scope.community_id, list(area_ids), kind,
            )  # fmt: skip
            gone += [row["id"] for row in removed]
        for area_id in gone:
            await audit.record(scope, "withdraw_area", "area", area_id)
    return len(gone)
