"""Remove areas that were added by mistake, such as by an import that is undone."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import audit, database
from timebank.core.capability import not_in_use
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def remove_unused_areas(scope: Scope, area_ids: Sequence[UUID]) -> int:
    """Delete the unused ones of these grids, buildings and units; returns their number.

    An area is kept if it contains another area, or if a household, role grant, station or deed refers to it.
    """
    scope.require_admin()
    gone: list[UUID] = []
    async with transaction(scope):
        for kind in ("unit", "building", "grid"):
            removed = await database.fetch(
                "DELETE FROM area a WHERE a.community_id = $1 AND a.id = ANY ($2) AND a.kind = $3 "  # noqa: S608  # no input
                "AND NOT EXISTS (SELECT FROM area b WHERE b.community_id = $1 AND b.parent_id = a.id) "
                f"AND {not_in_use('area', 'a.id')} RETURNING a.id",
                scope.community_id, list(area_ids), kind,
            )  # fmt: skip
            gone += [row["id"] for row in removed]
        for area_id in gone:
            await audit.record(scope, "withdraw_area", "area", area_id)
    return len(gone)
