"""Records that were entered by mistake, taken back before anybody has decided about them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.checkins.entered import tell_of_many
from timebank.database import retried, transaction
from timebank.scope import Scope


class _Gone(msgspec.Struct, frozen=True):
    id: UUID
    person_id: UUID
    minutes: int


@retried
async def withdraw_records(scope: Scope, record_ids: Sequence[UUID], import_id: UUID | None = None) -> int:
    """Take back honour records that still wait for their review; how many were taken back. No list or sum has them.

    Whose they are is told once, of all together; `import_id` is the import that is being undone.
    """
    scope.require_admin()
    async with transaction(scope):
        gone = await database.rows(
            _Gone,
            "UPDATE service_record SET status = 'withdrawn', withdrawn_at = $3, withdrawn_by = $4 "
            "WHERE community_id = $1 AND id = ANY ($2) AND kind = 'honour' AND status = 'pending' "
            "RETURNING id, person_id, minutes",
            scope.community_id, list(record_ids), clock.now(), scope.actor_id,
        )  # fmt: skip
        for row in gone:
            await audit.record(scope, "withdraw_record", "service_record", row.id)
        if gone:
            minutes = [(row.person_id, row.minutes) for row in gone]
            key = f"service:{min(row.id for row in gone)}:withdrawn"
            await tell_of_many(scope, "record_withdrawn", minutes, key, import_id)
    return len(gone)
