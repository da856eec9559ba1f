"""The regions that a caller administers as a whole: a community, a street or a county."""

from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import Role, Scope

COUNTY, STREET, COMMUNITY = range(3)
DEPTH = {Role.county_admin: COUNTY, Role.street_admin: STREET, Role.community_admin: COMMUNITY}


class Region(msgspec.Struct, frozen=True):
    """A county, street or community. `path` holds the ids from the county down to the region itself."""

    id: UUID
    kind: str
    name: str
    path: list[UUID]


async def require_region(scope: Scope, region_id: UUID) -> Region:
    """The region, if the caller administers all of it.

    A role over a street includes its communities, but not the county above. Raises Forbidden for a region above one of
    the caller's communities, NotFound for any other.
    """
    region, held, seen = await _found(scope, region_id)
    if scope.system or not held.isdisjoint(region.path):
        return region
    raise Forbidden if region.id in seen else NotFound


async def administers_region_above(scope: Scope, region_id: UUID) -> bool:
    """Whether the caller administers a region that contains this one. A region does not contain itself."""
    region, held, _seen = await _found(scope, region_id)
    return scope.system or not held.isdisjoint(region.path[:-1])


async def _found(scope: Scope, region_id: UUID) -> tuple[Region, set[UUID], set[UUID]]:
    """The region; the ids of the regions that the caller administers as a whole; the ids of all regions in reach."""
    async with transaction(scope):
        region = await database.row(Region, "SELECT id, kind, name, path FROM region WHERE id = $1", region_id)
        communities = await database.rows(
            Region, "SELECT id, kind, name, path FROM region WHERE id = ANY ($1)", list(scope.communities)
        )
    if region is None:
        raise NotFound
    paths = {c.id: c.path for c in communities}
    held = {paths[g.community_id][DEPTH[g.role]] for g in scope.grants if g.role in DEPTH and g.community_id in paths}
    return region, held, {step for path in paths.values() for step in path}
