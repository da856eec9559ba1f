"""How far upwards a caller administers: a community, a whole street, a whole county."""

from uuid import UUID

import msgspec

from timebank import database
from timebank.database import transaction
from timebank.errors import Forbidden, NotFound
from timebank.scope import Role, Scope

COUNTY, STREET, COMMUNITY = range(3)
DEPTH = {Role.county_admin: COUNTY, Role.street_admin: STREET, Role.community_admin: COMMUNITY}


class Region(msgspec.Struct, frozen=True):
    """A county, street or community; `path` leads from the county down to it."""

    id: UUID
    kind: str
    name: str
    path: list[UUID]


async def require_region(scope: Scope, region_id: UUID) -> Region:
    """The region, which the caller must administer as a whole.

    A role given over a street reaches that street and its communities, never the county above. Raises Forbidden for a
    region above the caller's reach, NotFound for one beside it.
    """
    async with transaction(scope):
        region = await database.row(Region, "SELECT id, kind, name, path FROM region WHERE id = $1", region_id)
        communities = await database.rows(
            Region, "SELECT id, kind, name, path FROM region WHERE id = ANY ($1)", list(scope.communities)
        )
    if region is None:
        raise NotFound
    paths = {c.id: c.path for c in communities}
    held = {paths[g.community_id][DEPTH[g.role]] for g in scope.grants if g.role in DEPTH and g.community_id in paths}
    if scope.system or not held.isdisjoint(region.path):
        return region
    seen = {step for path in paths.values() for step in path}
    raise Forbidden if region.id in seen else NotFound
