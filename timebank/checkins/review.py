"""Review: somebody else approves or rejects, and corrects the end of a forgotten check-out."""

from datetime import datetime, timedelta
from uuid import UUID

from timebank import audit, clock, database
from timebank.areas.policies import policies
from timebank.checkins.credit import credit_record, valid_rule
from timebank.checkins.deciding import DecidedRow, locked_record, require_not_corrected_by, served_of
from timebank.checkins.flags import visit_facts
from timebank.checkins.judging import judged
from timebank.checkins.reading import record
from timebank.checkins.records import why_not
from timebank.checkins.schemas import RecordOut, ReviewIn
from timebank.checkins.visits import VisitRow, visit_row
from timebank.database import retried, transaction
from timebank.errors import TimebankError
from timebank.people.messages import tell
from timebank.scope import Scope
from timebank.wording import at_clock, duration

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
    """Approve or reject a pending record: never the person's own, their household's, or one's own entry.

    Approved credit hours are credited at once; honour hours hang on the board first, as long as the policy says. A
    corrected end is kept and judged, and left to somebody else to approve.
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
            await require_not_corrected_by(scope, row)
            await _approve(scope, row, note or None)
        return await record(scope, record_id)


async def _approve(scope: Scope, row: DecidedRow, note: str | None) -> None:
    if row.visit_id is not None:
        await database.execute(
            "UPDATE visit SET status = 'closed' WHERE community_id = $1 AND id = $2 AND status = 'needs_confirmation'",
            scope.community_id, row.visit_id,
        )  # fmt: skip
    notice_days = (await policies(scope)).notice_days if row.kind == "honour" else 0
    if not notice_days:
        credit = await credit_record(scope, served_of(row), reviewed=True, note=note)
        text = f"您在{row.place}的 {duration(row.minutes)}已核对，积分 +{credit.points}。"
        await tell(scope, row.person_id, "record_credited", text, f"service:{row.id}:credited", row.id)
        return
    await database.execute(
        "UPDATE service_record SET status = 'noticed', notice_until = $3, reviewed_by = $4, reviewed_at = $5, "
        "review_note = $6 WHERE community_id = $1 AND id = $2",
        scope.community_id, row.id, clock.now() + timedelta(days=notice_days), scope.person_id, clock.now(), note,
    )  # fmt: skip
    await audit.record(scope, "approve_record", "service_record", row.id, reason=note, notice_days=notice_days)


async def _reject(scope: Scope, row: DecidedRow, note: str) -> None:
    await database.execute(
        "UPDATE service_record SET status = 'rejected', reviewed_by = $3, reviewed_at = $4, review_note = $5 "
        "WHERE community_id = $1 AND id = $2",
        scope.community_id, row.id, scope.person_id, clock.now(), note,
    )  # fmt: skip
    await audit.record(scope, "reject_record", "service_record", row.id, reason=note)
    text = f"您 {at_clock(row.started_at)} 在{row.place}的服务没有计入。原因：{note[:300]}"
    await tell(scope, row.person_id, "record_rejected", text, f"service:{row.id}:rejected", row.id)


@retried
async def correct_end(scope: Scope, record_id: UUID, ended_at: datetime, reason: str) -> RecordOut:
    """Correct when somebody who forgot to check out has really left, with the reason; somebody else approves it."""
    scope.require_admin()
    async with transaction(scope):
        row = await locked_record(scope, record_id)
        if row.status != "pending":
            raise NotPending
        await _correct_end(scope, row, ended_at, reason)
        return await record(scope, record_id)


async def _correct_end(scope: Scope, row: DecidedRow, ended_at: datetime, reason: str) -> None:
    """Judge the visit anew with its corrected end, as a scanned one is judged."""
    visit = await visit_row(scope, row.visit_id) if row.visit_id else None
    if visit is None or not _is_correctable(row, visit, ended_at, reason):
        raise EndNotCorrectable
    await database.execute(
        "UPDATE visit SET out_at = $3, out_by = 'corrected', flags = $4 WHERE community_id = $1 AND id = $2",
        scope.community_id, visit.id, ended_at, list(dict.fromkeys([*visit.flags, "corrected_end"])),
    )  # fmt: skip
    ended = await visit_row(scope, visit.id)
    assert ended is not None
    in_force = await policies(scope)
    rule = await valid_rule(scope, row.rule_code, ended_at)
    facts = await visit_facts(scope, ended, in_force, has_rule=rule is not None, record_id=row.id)
    found = judged(ended.in_at, ended_at, facts)
    await database.execute(
        "UPDATE service_record SET started_at = $3, ended_at = $4, minutes = $5, flags = $6, review_note = $7, "
        "corrected_by = $8, corrected_at = $9 WHERE community_id = $1 AND id = $2",
        scope.community_id, row.id, found.span.begin, found.span.end, found.minutes, found.flags, reason,
        scope.actor_id, clock.now(),
    )  # fmt: skip
    await audit.record(scope, "correct_end", "service_record", row.id, reason=reason, minutes=found.minutes)
    if (note := why_not(found, in_force)) is not None:
        await _reject(scope, row, f"{note}{reason}"[:NOTE_MAX])


def _is_correctable(row: DecidedRow, visit: VisitRow, ended_at: datetime, reason: str) -> bool:
    length = ended_at - visit.in_at
    possible = timedelta(minutes=1) <= length <= timedelta(hours=24) and ended_at <= clock.now()
    return "forgotten_check_out" in row.flags and possible and bool(reason)
