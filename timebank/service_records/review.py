"""Review of service records: another person approves or rejects them, or corrects a forgotten check-out's end."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import retried, savepoint, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Phrase
from timebank.people.locks import lock_people
from timebank.people.messages import notify
from timebank.policies.values import policies
from timebank.presence.visits import VisitRow, close_confirmed, set_corrected_end, visit_row
from timebank.service_records.crediting.credit import credit_record
from timebank.service_records.reading import find_record
from timebank.service_records.records import judge_again
from timebank.service_records.reviews.deciding import DecidedRow, locked_record, require_not_corrected_by, served_of
from timebank.service_records.schemas import RecordOut, ReviewIn
from timebank.service_records.tables import ServiceRecord

NOTE_MAX = 500


class NotPending(TimebankError):
    code = "not_pending"
    status = 409
    sentence = "这条记录已经审核过了。请刷新看结果。"


class NoteMissing(TimebankError):
    code = "note_missing"
    status = 422
    sentence = "退回要写明原因，本人会看到。"


class EndNotCorrectable(TimebankError):
    code = "end_not_correctable"
    status = 422
    sentence = "只有忘记签退的记录可以改结束时间；新时间要在签到之后、现在之前，并写明原因。"


@retried
async def review_record(scope: Scope, record_id: UUID, decided: ReviewIn) -> RecordOut:
    """Approve or reject a pending record, or correct its end. Own, household members' and own entries are refused.

    Approved credit hours are credited at once; honour hours are first published on the public board for the
    `notice_days` of the policy. A corrected end is stored and judged; somebody else then approves it.
    Raises NotPending, NoteMissing, OwnRecord, EndNotCorrectable.
    """
    scope.require_admin()
    note = decided.note.strip()
    if decided.decision == "reject" and not note:
        raise NoteMissing
    async with transaction(scope):
        row = await locked_record(scope, record_id)
        if row.status != "pending":
            raise NotPending
        if decided.decision == "reject":
            await _reject(scope, row, note)
        elif decided.ended_at is not None:
            await _correct_end(scope, row, decided.ended_at, note)
        else:
            credited = await _approve(scope, row, note or None)
            await _notify_credited(scope, [(row, credited)] if credited is not None else [])
        return await find_record(scope, record_id)


async def approve_records(scope: Scope, record_ids: Sequence[UUID]) -> int:
    """Approve many pending records; skip those that the caller may not decide; return how many were approved.

    The records of each person are one transaction and one notification.
    """
    scope.require_admin()
    async with transaction(scope):
        found = await database.fetch(
            "SELECT person_id, array_agg(id ORDER BY id) AS ids FROM service_record "
            "WHERE community_id = $1 AND id = ANY ($2) GROUP BY person_id ORDER BY person_id",
            scope.community_id, list(record_ids),
        )  # fmt: skip
    return sum([await _approve_of_person(scope, [UUID(bytes=each.bytes) for each in row["ids"]]) for row in found])


@retried
async def _approve_of_person(scope: Scope, record_ids: Sequence[UUID]) -> int:
    async with transaction(scope):
        return len(record_ids) - len(await decide_records(scope, record_ids, "approve", ""))


async def decide_records(
    scope: Scope, record_ids: Sequence[UUID], decision: Literal["approve", "reject"], note: str
) -> dict[UUID, str]:
    """Decide each of these in the open transaction, as a single one is decided; return the codes of what was refused.

    Their people are locked first, in the order of their ids. A person whose records are credited gets one message.
    """
    scope.require_admin()
    people = await database.fetch(
        "SELECT DISTINCT person_id FROM service_record WHERE community_id = $1 AND id = ANY ($2)",
        scope.community_id, list(record_ids),
    )  # fmt: skip
    await lock_people(scope, [UUID(bytes=row["person_id"].bytes) for row in people])
    refused: dict[UUID, str] = {}
    credited = defaultdict[UUID, list[tuple[DecidedRow, int]]](list)
    for record_id in record_ids:
        try:
            async with savepoint():
                row = await locked_record(scope, record_id)
                if row.status != "pending":
                    raise NotPending
                if decision == "reject":
                    await _reject(scope, row, note)
                elif (points := await _approve(scope, row, note or None)) is not None:
                    credited[row.person_id].append((row, points))
        except TimebankError as refusal:
            if refusal.status >= 500:
                raise
            refused[record_id] = refusal.code
    for person_id in sorted(credited):
        await _notify_credited(scope, credited[person_id])
    return refused


async def _notify_credited(scope: Scope, credited: Sequence[tuple[DecidedRow, int]]) -> None:
    """Notify a person that one record, or several together, are credited."""
    if not credited:
        return
    row, key = credited[0][0], f"service:{credited[0][0].id}:credited"
    earned: dict[str, Any] = {
        "minutes": sum(row.minutes for row, _ in credited),
        "points": sum(points for _, points in credited),
    }
    if len(credited) == 1:
        await notify(scope, row.person_id, "record_credited", key, row.id, where=row.where, **earned)
    else:
        await notify(scope, row.person_id, "record_credited.several", key, row.id, times=len(credited), **earned)


async def _approve(scope: Scope, row: DecidedRow, note: str | None) -> int | None:
    """Approve a record; return the points credited, or None where it is first published on the public board."""
    await require_not_corrected_by(scope, row)
    if row.visit_id is not None:
        await close_confirmed(scope, row.visit_id)
    notice_days = (await policies(scope)).notice_days if row.kind == "honour" else 0
    if not notice_days:
        return (await credit_record(scope, served_of(row), reviewed=True, note=note)).points
    await ServiceRecord.update(
        {
            ServiceRecord.status: "noticed", ServiceRecord.notice_until: clock.now() + timedelta(days=notice_days),
            ServiceRecord.reviewed_by: scope.person_id, ServiceRecord.reviewed_at: clock.now(),
            ServiceRecord.review_note: note,
        }
    ).where((ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == row.id))  # fmt: skip
    await audit.record(
        scope, "approve_record", "service_record", row.id, reason=note, about_id=row.person_id,
        notice_days=notice_days,
    )  # fmt: skip
    return None


async def _reject(scope: Scope, row: DecidedRow, note: str, why: Phrase | None = None) -> None:
    """Reject a record with a reason and, before it, why its new judgement does not count it."""
    await ServiceRecord.update(
        {
            ServiceRecord.status: "rejected", ServiceRecord.reviewed_by: scope.person_id,
            ServiceRecord.reviewed_at: clock.now(), ServiceRecord.review_note: note,
            ServiceRecord.review_said: why.stored() if why else None,
        }
    ).where((ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == row.id))  # fmt: skip
    await audit.record(scope, "reject_record", "service_record", row.id, reason=note, about_id=row.person_id)
    await notify(
        scope, row.person_id, "record_rejected", f"service:{row.id}:rejected", row.id,
        at=row.started_at, where=row.where, reason=[why, note] if why else [note],
    )  # fmt: skip


@retried
async def correct_end(scope: Scope, record_id: UUID, ended_at: datetime, reason: str) -> RecordOut:
    """Correct the end of a forgotten check-out, with a reason; somebody else approves it.

    Raises NotPending, OwnRecord, EndNotCorrectable.
    """
    scope.require_admin()
    async with transaction(scope):
        row = await locked_record(scope, record_id)
        if row.status != "pending":
            raise NotPending
        await _correct_end(scope, row, ended_at, reason)
        return await find_record(scope, record_id)


async def _correct_end(scope: Scope, row: DecidedRow, ended_at: datetime, reason: str) -> None:
    """Judge the visit again with its corrected end, like a scanned one."""
    visit = await visit_row(scope, row.visit_id) if row.visit_id else None
    if visit is None or not _is_correctable(row, visit, ended_at, reason):
        raise EndNotCorrectable
    ended = await set_corrected_end(scope, visit, ended_at)
    found, why = await judge_again(scope, row.id, row.rule_code, ended)
    await ServiceRecord.update(
        {
            ServiceRecord.review_note: reason, ServiceRecord.corrected_by: scope.actor_id,
            ServiceRecord.corrected_at: clock.now(),
        }
    ).where((ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == row.id))  # fmt: skip
    await audit.record(
        scope, "correct_end", "service_record", row.id, reason=reason, about_id=row.person_id, minutes=found.minutes
    )
    if why is not None:
        await _reject(scope, row, reason, why)


def _is_correctable(row: DecidedRow, visit: VisitRow, ended_at: datetime, reason: str) -> bool:
    length = ended_at - visit.in_at
    possible = timedelta(minutes=1) <= length <= timedelta(hours=24) and ended_at <= clock.now()
    return "forgotten_check_out" in row.flags and possible and bool(reason)
