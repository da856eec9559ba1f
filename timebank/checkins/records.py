"""Service records: a visit's minutes become a record, credited at once where nothing speaks against it."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank import audit, clock, database
from timebank.areas.policies import policies
from timebank.checkins.credit import Served, credit_record, rule_of
from timebank.checkins.flags import doubts
from timebank.checkins.tables import ServiceRecord
from timebank.checkins.visits import VisitRow
from timebank.scope import Scope
from timebank.stations.places import station_row
from timebank.wording import duration


class Outcome(msgspec.Struct, frozen=True):
    """What became of a visit's minutes."""

    record_id: UUID | None
    status: str  # approved, pending, rejected; too_short where no record was made
    minutes: int
    flags: list[str] = []
    note: str | None = None
    credited_minutes: int = 0
    credited_points: int = 0
    minutes_left: int | None = None
    capped: bool = False


async def record_visit(scope: Scope, visit: VisitRow, flags: list[str]) -> Outcome:
    """Turn a visit that has ended into a service record; credit it at once where nothing speaks against it.

    The visit's row, and but for a forgotten check-out the person's, are locked by the caller.
    """
    assert visit.out_at is not None
    in_force = await policies(scope)
    begin, end, planned = await _window(scope, visit)
    started_at, ended_at = max(visit.in_at, begin), min(visit.out_at, end)
    minutes = max(0, int((ended_at - started_at).total_seconds() // 60))
    if minutes < max(1, in_force.visit_minutes_min):
        return Outcome(None, "too_short", minutes)
    rule = await rule_of(scope, visit.activity_id, ended_at)
    served = Served(
        clock.new_id(), "credit", visit.person_id, started_at, ended_at, minutes,
        rule.code if rule else "service", visit.station,
    )  # fmt: skip
    if planned and minutes * 100 < planned * in_force.attendance_percent_min:
        note = f"到岗 {duration(minutes)}，不足计划 {duration(planned)}的 {in_force.attendance_percent_min} %，不计入。"
        await insert_record(scope, served, status="rejected", flags=[], visit=visit, note=note)
        return Outcome(served.id, "rejected", minutes, note=note)
    every = [*flags, *await doubts(scope, visit, served, in_force), *([] if rule else ["no_rule"])]
    found = list(dict.fromkeys(every))
    await insert_record(scope, served, status="pending", flags=found, visit=visit)
    if found:
        return Outcome(served.id, "pending", minutes, found)
    credit = await credit_record(scope, served)
    return Outcome(
        served.id, "approved", minutes, [], None, credit.minutes, credit.points, credit.minutes_left, credit.capped
    )


async def _window(scope: Scope, visit: VisitRow) -> tuple[datetime, datetime, int]:
    """From when to when a visit's minutes count, and the planned length of its shift (0: none)."""
    station = await station_row(scope, visit.station_id)
    assert station is not None
    begin, end = station.hours(visit.in_at)
    if visit.shift_id is None:
        return begin, end, 0
    shift = await database.fetch_one(
        "SELECT starts_at, ends_at FROM shift WHERE community_id = $1 AND id = $2", scope.community_id, visit.shift_id
    )
    assert shift is not None
    planned = int((shift["ends_at"] - shift["starts_at"]).total_seconds() // 60)
    return max(begin, shift["starts_at"]), min(end, shift["ends_at"]), planned


async def insert_record(
    scope: Scope, served: Served, *, status: str, flags: list[str], visit: VisitRow | None = None,
    activity_id: UUID | None = None, station_id: UUID | None = None, reason: str | None = None,
    note: str | None = None,
) -> None:  # fmt: skip
    """Write a record down: of a visit, or (honour) entered by the caller with a reason."""
    await ServiceRecord.insert(
        ServiceRecord(
            community_id=scope.community_id, id=served.id, kind=served.kind, person_id=served.person_id,
            visit_id=visit.id if visit else None, activity_id=visit.activity_id if visit else activity_id,
            station_id=visit.station_id if visit else station_id, started_at=served.started_at,
            ended_at=served.ended_at, minutes=served.minutes, status=status, flags=flags, reason=reason,
            entered_by=None if visit else scope.actor_id, reviewed_by=None, reviewed_at=None, review_note=note,
            notice_until=None, rule_code=served.rule_code, rule_version=None, credited_minutes=None,
            credited_points=None, entry_id=None, created_at=clock.now(),
        )
    )  # fmt: skip
    await audit.record(
        scope, "record_service", "service_record", served.id, kind=served.kind, status=status, flags=flags,
        minutes=served.minutes,
    )  # fmt: skip
