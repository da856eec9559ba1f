"""Records that were entered by mistake, taken back before anybody has decided about them."""

from collections.abc import Sequence
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


@retried
async def withdraw_records(scope: Scope, record_ids: Sequence[UUID]) -> int:
    """Take back honour records that still wait for their review; how many were taken back. No list or sum has them.

    Whoever calls tells their people, of all that is taken back together.
    """
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "UPDATE service_record SET status = 'withdrawn', withdrawn_at = $3, withdrawn_by = $4 "
            "WHERE community_id = $1 AND id = ANY ($2) AND kind = 'honour' AND status = 'pending' RETURNING id",
            scope.community_id, list(record_ids), clock.now(), scope.actor_id,
        )  # fmt: skip
        await audit.record_many(scope, "withdraw_record", "service_record", [(row["id"], {}) for row in gone])
    return len(gone)
