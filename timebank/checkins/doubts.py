"""Honour records that somebody objected to while they hung on the public board."""

from uuid import UUID

import msgspec

from timebank import audit, database
from timebank.errors import NotFound
from timebank.scope import Scope


class DoubtedRecord(msgspec.Struct, frozen=True):
    """Who is party to an honour record, and where it stands."""

    id: UUID
    person_id: UUID
    household_id: UUID | None
    entered_by: UUID | None
    status: str


async def lock_record(scope: Scope, record_id: UUID) -> DoubtedRecord:
    """The record as it is now, unchanged by others until the transaction ends."""
    record = await database.row(
        DoubtedRecord,
        "SELECT s.id, s.person_id, p.household_id, s.entered_by, s.status FROM service_record s "
        "JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id "
        "WHERE s.community_id = $1 AND s.id = $2 FOR UPDATE OF s",
        scope.community_id, record_id,
    )  # fmt: skip
    if record is None:
        raise NotFound
    return record


async def reject_doubted(scope: Scope, record: DoubtedRecord, note: str) -> None:
    """Reject a record on notice because an objection to it was right. The caller holds its row."""
    await database.execute(
        "UPDATE service_record SET status = 'rejected', review_note = $3 "
        "WHERE community_id = $1 AND id = $2 AND status = 'noticed'",
        scope.community_id, record.id, note,
    )  # fmt: skip
    await audit.record(scope, "reject_record", "service_record", record.id, reason=note)
