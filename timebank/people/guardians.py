"""Guardians: children hold points and take classes only through a guardian with recorded consent."""

from uuid import UUID

from timebank import database
from timebank.database import transaction
from timebank.errors import TimebankError
from timebank.people.schemas import ChildOut
from timebank.scope import Scope


class NotGuardian(TimebankError):
    code = "guardian_consent_missing"
    status = 422
    sentence = "没有登记这位家长对孩子的监护同意。请到社区登记后再办。"


async def children_of(scope: Scope) -> list[ChildOut]:
    """The children in the care of the caller's own resident records, in every community of the login."""
    async with transaction(scope, every_community=True):
        return await database.rows(
            ChildOut,
            "SELECT c.id AS person_id, c.community_id, c.name, g.consented_at IS NOT NULL AS consented "
            "FROM guardianship g JOIN person c ON c.community_id = g.community_id AND c.id = g.child_id "
            "WHERE g.guardian_id = ANY ($1) AND g.ended_at IS NULL AND c.status = 'active' ORDER BY c.born_on, c.id",
            [p.person_id for p in scope.persons],
        )


async def require_guardian(scope: Scope, guardian_id: UUID, child_id: UUID) -> None:
    """Refuse unless this guardian's consent for this child is on record."""
    async with transaction(scope):
        consented: bool = await database.fetch_value(
            "SELECT EXISTS (SELECT FROM guardianship WHERE community_id = $1 AND guardian_id = $2 AND child_id = $3 "
            "AND consented_at IS NOT NULL AND ended_at IS NULL)",
            scope.community_id, guardian_id, child_id,
        )  # fmt: skip
    if not consented:
        raise NotGuardian
