"""What an objection does to a service record: it is locked, rejected, or credited again after a reversal."""

from uuid import UUID

import msgspec

from timebank.core import audit, database
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.people.locks import require_locked
from timebank.presence.scans.facts import lock_person
from timebank.service_records.crediting.credit import credit_record
from timebank.service_records.deciding import ROW, DecidedRow, served_of


class ObjectedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The parties to a record, and its status."""

    id: UUID
    person_id: UUID
    household_id: UUID | None
    entered_by: UUID | None
    corrected_by: UUID | None
    reviewed_by: UUID | None
    visit_id: UUID | None
    status: str


async def lock_record(scope: Scope, record_id: UUID) -> ObjectedRecord:
    """Lock the person's row, then the record's, and return the record. Checks no permission. Raises NotFound."""
    person_id = await database.fetch_value(
        "SELECT person_id FROM service_record WHERE community_id = $1 AND id = $2 AND status <> 'withdrawn'",
        scope.community_id, record_id,
    )  # fmt: skip
    person = None if person_id is None else await lock_person(scope, UUID(bytes=person_id.bytes))
    if person is None:
        raise NotFound
    record = await database.row(
        ObjectedRecord,
        "SELECT s.id, s.person_id, p.household_id, s.entered_by, s.corrected_by, s.reviewed_by, s.visit_id, "
        "s.status FROM service_record s "
        "JOIN person p ON p.community_id = s.community_id AND p.id = s.person_id "
        "WHERE s.community_id = $1 AND s.id = $2 FOR NO KEY UPDATE OF s",
        scope.community_id, record_id,
    )  # fmt: skip
    if record is None:
        raise NotFound
    require_locked(record.person_id, [person.id])
    return record


async def reject_after_objection(scope: Scope, record: ObjectedRecord, note: str) -> None:
    """Reject a record in its public notice period, because an objection was upheld. The caller holds its row lock."""
    await database.execute(
        "UPDATE service_record SET status = 'rejected', review_note = $3 "
        "WHERE community_id = $1 AND id = $2 AND status = 'noticed'",
        scope.community_id, record.id, note,
    )  # fmt: skip
    await audit.record(scope, "reject_record", "service_record", record.id, reason=note)


async def restore_reversed(scope: Scope, record: ObjectedRecord, objection_id: UUID) -> None:
    """Credit a reversed record again, because its person's objection was upheld. Call `lock_record` first."""
    row = await database.row(DecidedRow, ROW, scope.community_id, record.id)
    assert row is not None
    await credit_record(scope, served_of(row), again=objection_id)
