"""Whether people are registered in the community, active, and with a guardian's consent where they need one."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from timebank.core import database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.guardianship.care import consent_in_force
from timebank.people.identity.ages import is_guarded


async def require_resident(scope: Scope, person_id: UUID) -> None:
    """Raise NotFound for a person of another community or none, for whom a list would otherwise come back empty."""
    async with transaction(scope):
        found: bool = await database.fetch_value(
            "SELECT EXISTS (SELECT FROM person WHERE community_id = $1 AND id = $2)", scope.community_id, person_id
        )
    if not found:
        raise NotFound


class ResidentState(msgspec.Struct, frozen=True):
    """`lacks_consent`: a child without a guardian's recorded consent."""

    status: str
    lacks_consent: bool


async def resident_states(scope: Scope, person_ids: Iterable[UUID]) -> dict[UUID, ResidentState]:
    """The state of each of these people who is registered in the community."""
    async with transaction(scope):
        found = await database.fetch(
            f"SELECT p.id, p.status, p.born_on, {consent_in_force('$1', 'p.id')} AS consented FROM person p "  # noqa: S608
            "WHERE p.community_id = $1 AND p.id = ANY ($2)",
            scope.community_id, list(person_ids),
        )  # fmt: skip
    return {
        UUID(bytes=row["id"].bytes): ResidentState(row["status"], is_guarded(row["born_on"]) and not row["consented"])
        for row in found
    }
