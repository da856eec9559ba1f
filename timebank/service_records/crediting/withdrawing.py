"""The record of a visit whose check-out is undone: it is withdrawn, its credit reversed, and both stay."""

from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.service_records.crediting.reversal import take_credit_back
from timebank.service_records.reviews.deciding import ROW_WITH, DecidedRow
from timebank.service_records.tables import ServiceRecord


class OutcomeDecided(TimebankError):
    code = "outcome_decided"
    status = 409
    sentence = "这次服务已经有人审核过，签退不能撤销。记错了的，请社区管理员冲正或更正。"


class _UndoneRow(DecidedRow, frozen=True, kw_only=True):
    was_decided: bool
    points: int


_UNDONE = ROW_WITH.format(
    more=", r.reviewed_at IS NOT NULL OR r.corrected_at IS NOT NULL AS was_decided, "
    "coalesce(r.credited_points, 0) AS points"
)


async def withdraw_record(scope: Scope, visit_id: UUID) -> tuple[list[Phrase], int]:
    """Withdraw the record of a visit whose end is undone, and reverse its credit; see `presence.outcomes`.

    Undoing needs no role beyond that of the undo itself. A record that somebody has decided about, or that
    was credited after a decision, is left to those who decide. Raises OutcomeDecided.
    """
    record_id = await database.fetch_value(
        "SELECT id FROM service_record WHERE community_id = $1 AND visit_id = $2 AND status <> 'withdrawn' "
        "FOR NO KEY UPDATE",
        scope.community_id, visit_id,
    )  # fmt: skip
    if record_id is None:
        return [phrase("taken.nothing")], 0
    row = await database.row(_UndoneRow, _UNDONE, scope.community_id, record_id)
    assert row is not None
    if row.was_decided or row.status not in ("approved", "pending", "rejected"):
        raise OutcomeDecided
    taken = await take_credit_back(scope, row, phrase("entry.check_out_undone", place=row.place))
    await ServiceRecord.update(
        {
            ServiceRecord.status: "withdrawn", ServiceRecord.withdrawn_at: clock.now(),
            ServiceRecord.withdrawn_by: scope.person_id,
        }
    ).where((ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == row.id))  # fmt: skip
    await audit.record(scope, "withdraw_record", "service_record", row.id, about_id=row.person_id, points=row.points)
    return taken, row.points
