"""The reach of a unit's contact: the one look-up of the communities that the contact reads for the unit."""

from uuid import UUID

from timebank.areas.reach import communities_in_reach
from timebank.core import database
from timebank.core.database import transaction
from timebank.core.scope import Community, Role, Scope


async def communities_of_contact(scope: Scope, unit_id: UUID) -> frozenset[UUID]:
    """The communities that use units and that the caller's grants as contact of this very unit reach; none for others.

    It is the widest hole if it is wrong: whatever a contact reads beyond one community goes through it.
    """
    held = [g for g in scope.grants if g.role is Role.unit_contact and g.unit_id == unit_id]
    if not held:
        return frozenset()
    return frozenset(one.id for one in await _using(scope) if any(grant.reaches(one.id, one.path) for grant in held))


async def using_units(scope: Scope, communities: frozenset[UUID]) -> frozenset[UUID]:
    """Those of these communities that use units."""
    return communities & frozenset(one.id for one in await _using(scope))


async def _using(scope: Scope) -> list[Community]:
    within = await communities_in_reach(scope)
    async with transaction(None):
        return await database.rows(
            Community,
            "SELECT r.id, r.name, r.path FROM communities_using('units') AS u (id) JOIN region r ON r.id = u.id "
            "WHERE r.id = ANY ($1::text[]::uuid[])",
            database.as_texts(within),
        )
