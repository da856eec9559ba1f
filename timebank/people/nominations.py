"""Guardians named by a roster: proposed for many children at once, until each has consented."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.database import retried, transaction
from timebank.scope import Scope


class Nomination(msgspec.Struct, frozen=True):
    """An adult of the household who may be the child's guardian."""

    guardian_id: UUID
    child_id: UUID
    relation: str


@retried
async def nominate_guardians(scope: Scope, nominations: Sequence[Nomination]) -> list[UUID]:
    """Name guardians without their consent, which is recorded later; pairs already known stay. Answers the new ones."""
    scope.require_admin()
    async with transaction(scope):
        named = await database.fetch(
            "INSERT INTO guardianship (community_id, id, guardian_id, child_id, relation) "
            "SELECT $1, n.id, n.guardian_id, n.child_id, n.relation "
            "FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS n (id, guardian_id, child_id, relation) "
            "ON CONFLICT DO NOTHING RETURNING id",
            scope.community_id, [clock.new_id() for _ in nominations], [n.guardian_id for n in nominations],
            [n.child_id for n in nominations], [n.relation for n in nominations],
        )  # fmt: skip
        await audit.record(scope, "nominate_guardians", "guardianship", None, named=len(named))
    return [row["id"] for row in named]


@retried
async def withdraw_nominations(scope: Scope, guardianship_ids: Sequence[UUID]) -> None:
    """Take back what nobody has consented to; a consent on record stays."""
    scope.require_admin()
    async with transaction(scope):
        await database.execute(
            "DELETE FROM guardianship WHERE community_id = $1 AND id = ANY ($2) AND consented_at IS NULL",
            scope.community_id, list(guardianship_ids),
        )  # fmt: skip
        await audit.record(scope, "withdraw_nominations", "guardianship", None, given=len(guardianship_ids))
