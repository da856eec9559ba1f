"""Objections with the deed or service record that they are about, for those who decide them."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.agreements.independence import is_uninvolved
from timebank.core import clock, database
from timebank.core.database import Filters, most, transaction
from timebank.core.errors import NotFound
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.objections.reminding import decide_by
from timebank.objections.subjects import subject_of, subject_rows


class ObjectionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An objection, who raised it, and its subject with those who are parties to it."""

    id: UUID
    subject_kind: str
    subject_id: UUID
    person: str
    objector_id: UUID
    objector: str
    what: str
    occurred_on: date | None
    started_at: datetime | None
    points: int | None
    minutes: int | None
    stage: str
    reason: str
    created_at: datetime
    upheld: bool | None
    decision_note: str | None
    entered_by: UUID | None
    acted: list[UUID | None]
    logins: list[UUID | None]
    concerns: list[UUID | None]

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

    @property
    def look(self) -> str | None:
        """The label of the link to the subject's page in the panel; None where there is none."""
        return subject_of(self.subject_kind).look


def _detail() -> str:
    return f"""
SELECT o.id, o.subject_kind, o.subject_id, p.name AS person, q.id AS objector_id, q.name AS objector, subject.what,
       subject.occurred_on, subject.started_at, subject.points, subject.minutes, subject.stage, o.reason, o.created_at,
       o.upheld, o.decision_note, o.entered_by, subject.acted, subject.logins, subject.concerns
FROM objection o
JOIN person q ON q.community_id = o.community_id AND q.id = o.person_id
CROSS JOIN LATERAL ({subject_rows()}) AS subject
JOIN person p ON p.community_id = o.community_id AND p.id = subject.person_id
WHERE o.community_id = $1
"""  # noqa: S608  # declared in manifests


def undecided_parties() -> str:
    """SELECT of `acted, concerns, logins` of each undecided objection in community $1."""
    return (
        "SELECT ARRAY[o.person_id, o.entered_by] || subject.acted AS acted, subject.concerns, subject.logins "  # noqa: S608  # declared in manifests
        f"FROM objection o CROSS JOIN LATERAL ({subject_rows()}) AS subject "
        "WHERE o.community_id = $1 AND o.upheld IS NULL"
    )


async def list_undecided_objections(
    scope: Scope, *, limit: int = 50, cursor: str | None = None
) -> Page[ObjectionDetail]:
    """The undecided objections, oldest first, for administrators and auditors."""
    scope.require_reader()
    asked = Filters(scope.community_id)
    asked.add("o.upheld IS NULL")
    asked.add_after("o.id", ">", read_cursor(cursor, tuple[UUID]))
    oldest = f"{_detail()}{asked.sql} ORDER BY o.id LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(ObjectionDetail, oldest, *asked.values)
    return make_page(found, limit, lambda doubt: (doubt.id,))


async def count_undecided_objections(scope: Scope) -> int:
    """The number of undecided objections, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        return await database.read_value(
            int, "SELECT count(*) FROM objection WHERE community_id = $1 AND upheld IS NULL", scope.community_id
        )


async def find_objection(scope: Scope, objection_id: UUID) -> ObjectionDetail:
    """One objection, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.row(ObjectionDetail, f"{_detail()} AND o.id = $2", scope.community_id, objection_id)
    if found is None:
        raise NotFound
    return found


async def objections_to(scope: Scope, kind: str, subject_id: UUID) -> list[ObjectionDetail]:
    """Every objection to this subject, including decided ones, for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(
            ObjectionDetail, f"{_detail()} AND o.subject_kind = $2 AND o.subject_id = $3 ORDER BY o.id",
            scope.community_id, kind, subject_id,
        )  # fmt: skip


async def may_decide(scope: Scope, doubt: ObjectionDetail) -> bool:
    """Whether the caller is an administrator who may decide this undecided objection because they are no party to it.

    A party is not independent of whoever filed, entered, approved or corrected its subject, scanned its visit, or
    raised the objection; or is a household member of the person or the witness.
    """
    acted = (doubt.objector_id, doubt.entered_by, *doubt.acted)
    return (
        scope.administers
        and doubt.upheld is None
        and await is_uninvolved(scope, *acted, concerns=doubt.concerns, logins=doubt.logins)
    )
