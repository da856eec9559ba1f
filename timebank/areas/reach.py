"""What a caller reaches: the regions administered as a whole, and the communities below streets and counties.

A request carries a grant over a street or county as one, so the communities below it are read from the region table.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import Forbidden, NotFound
from timebank.core.scope import READERS, Community, Role, Scope

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
    region = await _region(scope, region_id)
    if scope.system or _administers(scope, region.path):
        return region
    raise Forbidden if await _is_above_reached(scope, region_id) else NotFound


async def administers_region_above(scope: Scope, region_id: UUID) -> bool:
    """Whether the caller administers a region that contains this one. A region does not contain itself."""
    region = await _region(scope, region_id)
    return scope.system or _administers(scope, region.path[:-1])


def _administers(scope: Scope, path: list[UUID]) -> bool:
    """Whether the caller administers a region of this path as a whole: each role one of its own level."""
    return any(
        path[depth : depth + 1] == [grant.region_id or grant.community_id]
        for grant in scope.grants
        if (depth := DEPTH.get(grant.role)) is not None
    )


async def _region(scope: Scope, region_id: UUID) -> Region:
    async with transaction(scope):
        region = await database.row(Region, "SELECT id, kind, name, path FROM region WHERE id = $1", region_id)
    if region is None:
        raise NotFound
    return region


async def _is_above_reached(scope: Scope, region_id: UUID) -> bool:
    async with transaction(scope):
        return bool(
            await database.fetch_value(
                "SELECT EXISTS (SELECT FROM region WHERE kind = 'community' AND path @> ARRAY[$1::uuid] "
                "AND path && $2::text[]::uuid[])",
                region_id, database.as_texts(scope.reach),
            )
        )  # fmt: skip


async def within_reach(scope: Scope, community_id: UUID) -> Scope:
    """The same caller in another community that they reach by an own record or a grant. Raises NotFound for any other.

    `Scope.within` suffices where it is a community of an own record.
    """
    if community_id not in scope.home_ids and community_id != scope.community_id and scope.grants:
        async with transaction(None):
            found = await database.fetch_value(
                "SELECT community_in_reach($1, $2::text[]::uuid[])", community_id, database.as_texts(scope.reach)
            )
        if found is not None:
            scope = replace(scope, addressed=msgspec.json.decode(found, type=Community))
    return scope.within(community_id)


async def communities_in_reach(scope: Scope) -> frozenset[UUID]:
    """Every community that the caller has an own record or a grant in, and the scope's."""
    if not any(grant.region_id for grant in scope.grants):
        return scope.reach
    async with transaction(None):
        found = await database.fetch(
            "SELECT id FROM region WHERE kind = 'community' AND path && $1::text[]::uuid[]",
            database.as_texts(scope.reach),
        )
    return frozenset(UUID(bytes=row["id"].bytes) for row in found)


async def communities_read(scope: Scope) -> frozenset[UUID]:
    """The communities in which the caller reads everything, by a grant there or above; for readers of the scope's."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.rows(
            Community,
            "SELECT id, name, path FROM region WHERE kind = 'community' AND path && $1::text[]::uuid[]",
            database.as_texts(scope.reach),
        )
    reading = [grant for grant in scope.grants if grant.role in READERS]
    return frozenset(
        one.id for one in found if scope.system or any(grant.reaches(one.id, one.path) for grant in reading)
    )


async def regions_beyond(region_ids: Iterable[UUID], communities: Iterable[UUID]) -> frozenset[UUID]:
    """Those of these streets and counties that have a community besides `communities`."""
    asked = database.as_texts(region_ids)
    if not asked:
        return frozenset()
    async with transaction(None):
        found = await database.fetch(
            "SELECT h.id FROM unnest($1::text[]::uuid[]) AS h (id) WHERE EXISTS (SELECT FROM region c "
            "WHERE c.kind = 'community' AND c.path @> ARRAY[h.id] AND NOT c.id = ANY ($2::text[]::uuid[]))",
            asked, database.as_texts(communities),
        )  # fmt: skip
    return frozenset(UUID(bytes=row["id"].bytes) for row in found)
