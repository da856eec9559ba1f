"""Objections with the deed or service record that they are about, for those who decide them."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.deeds.objections.reminding import decide_by
from timebank.service_records.deciding import took_part_in_scans


class ObjectionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An objection, who raised it, and the deed or service record that it is about."""

    id: UUID
    deed_id: UUID | None
    service_record_id: UUID | None
    person_id: UUID
    person: str
    household_id: UUID | None
    filed_by: UUID | None
    witness_id: UUID | None
    objector_id: UUID
    objector: str
    what: str
    occurred_on: date | None
    started_at: datetime | None
    points: int | None
    minutes: int | None
    status: str
    reason: str
    created_at: datetime
    upheld: bool | None
    decision_note: str | None
    entered_by: UUID | None
    corrected_by: UUID | None
    approved_by: UUID | None
    visit_id: UUID | None

    @property
    def decide_by(self) -> datetime:
        """The deadline of the decision, for which a credit waits."""
        return decide_by(self.created_at)

    @property
    def is_overdue(self) -> bool:
        return self.upheld is None and self.decide_by < clock.now()

    @property
    def day(self) -> date:
        return self.occurred_on or clock.local_day(self.started_at)


_DOUBTS = """
SELECT o.id, o.deed_id, o.service_record_id, p.id AS person_id, p.name AS person, p.household_id,
       coalesce(d.filed_by, s.entered_by) AS filed_by, d.witness_id, q.id AS objector_id, q.name AS objector,
       coalesce(r.name, v.name, '志愿服务') AS what, d.occurred_on, s.started_at, d.points, s.minutes,
       coalesce(d.status, s.status) AS status, o.reason, o.created_at, o.upheld, o.decision_note, o.entered_by,
       s.corrected_by, s.visit_id, CASE WHEN coalesce(d.status, s.status) <> 'reversed'
       THEN coalesce(d.reviewed_by, s.reviewed_by) END AS approved_by
FROM objection o
JOIN person q ON q.community_id = o.community_id AND q.id = o.person_id
LEFT JOIN deed d ON d.community_id = o.community_id AND d.id = o.deed_id
LEFT JOIN rule r ON r.community_id = d.community_id AND r.code = d.rule_code AND r.version = d.rule_version
LEFT JOIN service_record s ON s.community_id = o.community_id AND s.id = o.service_record_id
LEFT JOIN activity v ON v.community_id = s.community_id AND v.id = s.activity_id
JOIN person p ON p.community_id = o.community_id AND p.id = coalesce(d.person_id, s.person_id)
WHERE o.community_id = $1
"""


async def list_undecided_objections(
    scope: Scope, *, limit: int = 50, cursor: str | None = None
) -> Page[ObjectionDetail]:
    """The undecided objections, oldest first, for administrators and auditors."""
    scope.require_reader()
    after = read_cursor(cursor, tuple[UUID])
    async with transaction(scope):
        found = await database.rows(
            ObjectionDetail,
            f"{_DOUBTS} AND o.upheld IS NULL AND ($2::uuid IS NULL OR o.id > $2) ORDER BY o.id LIMIT $3",
            scope.community_id, after[0] if after else None, limit + 1,
        )  # fmt: skip
    return make_page(found, limit, lambda doubt: (doubt.id,))


async def count_undecided_objections(scope: Scope) -> int:
    """The number of undecided objections, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        waiting: int = await database.fetch_value(
            "SELECT count(*) FROM objection WHERE community_id = $1 AND upheld IS NULL", scope.community_id
        )
    return waiting


async def find_objection(scope: Scope, objection_id: UUID) -> ObjectionDetail:
    """One objection, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.row(ObjectionDetail, f"{_DOUBTS} AND o.id = $2", scope.community_id, objection_id)
    if found is None:
        raise NotFound
    return found


async def objections_to_deed(scope: Scope, deed_id: UUID) -> list[ObjectionDetail]:
    """Every objection to a deed, including decided ones, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            ObjectionDetail, f"{_DOUBTS} AND o.deed_id = $2 ORDER BY o.id", scope.community_id, deed_id
        )


async def may_decide(scope: Scope, doubt: ObjectionDetail) -> bool:
    """Whether the caller is an administrator who may decide this undecided objection because they are no party to it.

    A party is not independent of whoever filed, entered, approved or corrected what it is about, scanned its visit, or
    raised the objection; or is a household member of the person or the witness.
    """
    brought = doubt.filed_by or doubt.person_id
    return (
        scope.administers
        and doubt.upheld is None
        and await is_uninvolved(
            scope, brought, doubt.objector_id, doubt.entered_by, doubt.corrected_by, doubt.approved_by,
            concerns=[doubt.person_id, doubt.witness_id],
        )
        and not await took_part_in_scans(scope, doubt.visit_id)
    )  # fmt: skip
