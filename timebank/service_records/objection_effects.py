"""What an objection does to a service record: its credit waits, it is rejected, or is credited again."""

from uuid import UUID

from timebank.core import audit, database
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.objections.schemas import Raised
from timebank.objections.subjects import Subject
from timebank.people.locks import require_locked
from timebank.people.messages import notify
from timebank.presence.scan_context import lock_person
from timebank.service_records.crediting.credit import credit_record
from timebank.service_records.deciding import HANDS, ROW, DecidedRow, served_of

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
    text = "您的一条补录服务有人提出异议，社区核实以前先不计入。结果会告诉您。"
    await _notify_person(scope, raised, "record_objected", text, f"objected:{raised.id}")


async def _uphold(scope: Scope, raised: Raised, note: str) -> None:
    await database.execute(
        "UPDATE service_record SET status = 'rejected', review_note = $3 "
        "WHERE community_id = $1 AND id = $2 AND status = 'noticed'",
        scope.community_id, raised.subject_id, note,
    )  # fmt: skip
    await audit.record(scope, "reject_record", "service_record", raised.subject_id, reason=note)
    text = f"您的一条补录服务有人提出异议，核实后不予计入。说明：{note[:300]}"
    await _notify_person(scope, raised, "record_rejected", text, "rejected")


async def _dismiss(scope: Scope, raised: Raised) -> None:
    text = "对您的一条补录服务的异议核实过了，公示照常。"
    await _notify_person(scope, raised, "record_noticed", text, f"noticed:{raised.id}")


async def _notify_person(scope: Scope, raised: Raised, kind: str, text: str, step: str) -> None:
    record_id = raised.subject_id
    person_id = await lock_record(scope, record_id)
    await notify(scope, person_id, kind, text, f"service:{record_id}:{step}", record_id)


async def _restore(scope: Scope, raised: Raised) -> None:
    row = await database.row(DecidedRow, ROW, scope.community_id, raised.subject_id)
    assert row is not None
    await credit_record(scope, served_of(row), again=raised.id)


RECORD = Subject(
    kind="service_record", word="一条服务记录", rejected="这条服务不予计入", select=_SELECT, lock=lock_record,
    hold=_hold, uphold=_uphold, dismiss=_dismiss, restore=_restore,
)  # fmt: skip
