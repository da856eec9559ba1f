"""What an objection does to a service record: its credit waits, it is rejected, or is credited again."""

from typing import Any
from uuid import UUID

from timebank.core import audit, database
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.objections.schemas import Raised
from timebank.objections.subjects import Subject
from timebank.people.locks import require_locked
from timebank.people.messages import notify
from timebank.presence.scans.facts import lock_person
from timebank.service_records.crediting.credit import credit_record
from timebank.service_records.reviews.deciding import HANDS, ROW, DecidedRow, served_of

_SELECT = f"""
SELECT s.id, s.person_id, coalesce(a.name, '志愿服务') AS what, NULL::date AS occurred_on, s.started_at,
       NULL::integer AS points, s.minutes,
       CASE s.status WHEN 'noticed' THEN 'published' WHEN 'reversed' THEN 'reversed' ELSE 'other' END AS stage,
       ARRAY[coalesce(s.entered_by, s.person_id), s.corrected_by,
             CASE WHEN s.status <> 'reversed' THEN s.reviewed_by END] AS acted,
       {HANDS} AS logins, ARRAY[s.person_id] AS concerns
FROM service_record s
LEFT JOIN activity a ON a.community_id = $1 AND a.id = s.activity_id
LEFT JOIN visit v ON v.community_id = $1 AND v.id = s.visit_id
WHERE s.community_id = $1
"""  # noqa: S608  # no input


async def lock_record(scope: Scope, record_id: UUID) -> UUID:
    """Lock the person's row, then the record's, and return the person's id. Checks no permission. Raises NotFound."""
    person_id = await database.fetch_value(
        "SELECT person_id FROM service_record WHERE community_id = $1 AND id = $2 AND status <> 'withdrawn'",
        scope.community_id, record_id,
    )  # fmt: skip
    person = None if person_id is None else await lock_person(scope, UUID(bytes=person_id.bytes))
    if person is None:
        raise NotFound
    whose = await database.fetch_value(
        "SELECT person_id FROM service_record WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, record_id,
    )  # fmt: skip
    if whose is None:
        raise NotFound
    require_locked(UUID(bytes=whose.bytes), [person.id])
    return person.id


async def _hold(scope: Scope, raised: Raised) -> None:
    await _notify_person(scope, raised, "record_objected", f"objected:{raised.id}")


async def _uphold(scope: Scope, raised: Raised, note: str) -> None:
    whose = await database.fetch_value(
        "UPDATE service_record SET status = 'rejected', review_note = $3 "
        "WHERE community_id = $1 AND id = $2 AND status = 'noticed' RETURNING person_id",
        scope.community_id, raised.subject_id, note,
    )  # fmt: skip
    about = UUID(bytes=whose.bytes) if whose else None
    await audit.record(scope, "reject_record", "service_record", raised.subject_id, reason=note, about_id=about)
    await _notify_person(scope, raised, "record_rejected.objected", "rejected", note=note)


async def _dismiss(scope: Scope, raised: Raised) -> None:
    await _notify_person(scope, raised, "record_noticed", f"noticed:{raised.id}")


async def _notify_person(scope: Scope, raised: Raised, kind: str, step: str, **values: Any) -> None:
    record_id = raised.subject_id
    person_id = await lock_record(scope, record_id)
    await notify(scope, person_id, kind, f"service:{record_id}:{step}", record_id, **values)


async def _restore(scope: Scope, raised: Raised) -> None:
    row = await database.row(DecidedRow, ROW, scope.community_id, raised.subject_id)
    assert row is not None
    await credit_record(scope, served_of(row), again=raised.id)


RECORD = Subject(
    kind="service_record", rejected="outcome.record_rejected", select=_SELECT, lock=lock_record,
    hold=_hold, uphold=_uphold, dismiss=_dismiss, restore=_restore,
)  # fmt: skip
