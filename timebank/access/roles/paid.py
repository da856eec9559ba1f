"""Paid duty: what its holder does in it is counted, and earns neither points nor hours."""

from datetime import date
from uuid import UUID

from timebank.core import clock, database
from timebank.core.scope import Scope


async def is_paid_on(scope: Scope, person_id: UUID, day: date) -> bool:
    """Whether the person held a paid role in the community on this local day, also one that has ended since."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM role_grant WHERE community_id = $1 AND person_id = $2 AND paid AND starts_on <= $3 "
        "AND (ends_on IS NULL OR ends_on >= $3) AND (ended_at IS NULL OR ended_at >= $4))",
        scope.community_id, person_id, day, clock.day_bounds(day)[0],
    )  # fmt: skip
    return found
