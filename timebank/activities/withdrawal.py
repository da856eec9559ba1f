"""Activities that were added by mistake, taken back."""

from collections.abc import Sequence
from uuid import UUID

from timebank import audit, database
from timebank.database import retried, transaction
from timebank.scope import Scope


@retried
async def withdraw_activities(scope: Scope, activity_ids: Sequence[UUID]) -> int:
    """Remove those of these activities that nobody has served in and that have no shifts; how many went."""
    scope.require_admin()
    async with transaction(scope):
        gone = await database.fetch(
            "DELETE FROM activity a WHERE a.community_id = $1 AND a.id = ANY ($2) "
            "AND NOT EXISTS (SELECT FROM shift s WHERE s.community_id = $1 AND s.activity_id = a.id) "
            "AND NOT EXISTS (SELECT FROM visit v WHERE v.community_id = $1 AND v.activity_id = a.id) "
            "AND NOT EXISTS (SELECT FROM service_record r WHERE r.community_id = $1 AND r.activity_id = a.id) "
            "RETURNING a.id",
            scope.community_id, list(activity_ids),
        )  # fmt: skip
        for row in gone:
            await audit.record(scope, "withdraw_activity", "activity", row["id"])
    return len(gone)
