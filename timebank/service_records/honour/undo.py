"""Withdrawal of honour records that were entered by mistake and that nobody has decided."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def undo_entered_hours(scope: Scope, record_ids: Sequence[UUID]) -> int:
    """Withdraw honour records that still wait for their review; return how many.

    They count in no sum, and only administrators and auditors can list them. The caller notifies the people, once for
    all records that are withdrawn together.
    """
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "UPDATE service_record SET status = 'withdrawn', withdrawn_at = $3, withdrawn_by = $4 "
            "WHERE community_id = $1 AND id = ANY ($2) AND kind = 'honour' AND status = 'pending' "
            "RETURNING id, person_id",
            scope.community_id, list(record_ids), clock.now(), scope.actor_id,
        )  # fmt: skip
        whose = [(row["id"], {"person_id": UUID(bytes=row["person_id"].bytes)}) for row in gone]
        await audit.record_many(scope, "withdraw_record", "service_record", whose)
    return len(gone)
