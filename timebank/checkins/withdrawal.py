"""Records that were entered by mistake, taken back before anybody has decided about them."""

from collections.abc import Sequence
from uuid import UUID

from timebank import audit, database
from timebank.database import retried, transaction
from timebank.scope import Scope


@retried
async def withdraw_records(scope: Scope, record_ids: Sequence[UUID]) -> int:
    """Take back honour records that still wait for their review; how many were taken back."""
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "DELETE FROM service_record WHERE community_id = $1 AND id = ANY ($2) AND kind = 'honour' "
            "AND status = 'pending' RETURNING id",
            scope.community_id, list(record_ids),
        )  # fmt: skip
        await audit.record(scope, "withdraw_records", "service_record", None, records=len(gone))
    return len(gone)
