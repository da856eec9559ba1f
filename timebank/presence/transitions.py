"""Check-in and check-out: the transitions of a person's visits by a scan. The caller holds the person's row lock."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from timebank.core import audit, clock, database
from timebank.core.database import RanIntoAnother
from timebank.core.errors import TimebankError
from timebank.people.messages import notify
from timebank.presence.choice import choose_activity
from timebank.presence.forgotten import CLOSING_GRACE, close_as_forgotten, notify_forgotten
from timebank.presence.outcomes import record_again, record_visit, require_undecided
from timebank.presence.scan_context import ScanContext
from timebank.presence.schemas import Verdict
from timebank.presence.tables import Visit
from timebank.presence.verdicts import check_in_verdict, check_out_verdict, repeated_check_out_verdict
from timebank.presence.visits import ROW, VisitRow, open_row, visit_row
from timebank.presence.words import ScanRefused

SAME_SCAN = timedelta(seconds=60)
NOT_SCANNED = ("closing_time", "corrected")  # values of `out_by` where the end was not scanned
UNSCANNED_END = ("forgotten_check_out", "corrected_end")  # the flags of such a visit


class AlreadyIn(TimebankError):
    code = "already_in"
    status = 409
    sentence = "刚才已经签到了。"
    constraint = "visit_one_open"


async def check_in_or_out(arrival: ScanContext) -> Verdict:
    """Check the person in or out. Raises ScanRefused with the reason."""
    direction = arrival.asked.direction
    visit = await open_row(arrival.scope, arrival.who.id)
    if visit is not None and arrival.at > visit.closing + CLOSING_GRACE:
        await close_as_forgotten(arrival.scope, visit)
        visit = None
    if arrival.asked.offline and (late := await end_of_forgotten(arrival)) is not None:
        return late
    if visit is not None and not _waited_longer(arrival, visit):
        return await _while_in(arrival, visit)
    left = await _just_left(arrival)
    if left is not None and direction != "in":
        return await repeated_check_out_verdict(arrival, left)
    if direction == "out":
        raise ScanRefused("overlap" if visit else "not_in")
    return await check_in(arrival, before=visit)


def _waited_longer(arrival: ScanContext, visit: VisitRow) -> bool:
    """Whether an offline scan was made before the open visit began, so that it belongs to an earlier visit."""
    return arrival.asked.offline and visit.in_at - arrival.at >= SAME_SCAN


async def _while_in(arrival: ScanContext, visit: VisitRow) -> Verdict:
    direction, since = arrival.asked.direction, arrival.at - visit.in_at
    if visit.station_id != arrival.here.id:
        raise ScanRefused("open_elsewhere", station=visit.station, at=visit.in_at)
    if abs(since) < SAME_SCAN and direction != "out":
        return check_in_verdict(arrival, visit)
    if since < timedelta():
        raise ScanRefused("overlap")
    if direction == "in":
        raise ScanRefused("already_in", at=visit.in_at)
    return await check_out(arrival, visit)


async def _just_left(arrival: ScanContext) -> VisitRow | None:
    """The visit that the person ended here less than 60 seconds before the scan, which repeats the check-out then."""
    return await database.row(
        VisitRow,
        ROW + "WHERE v.community_id = $1 AND v.person_id = $2 AND v.station_id = $3 AND v.status = 'closed' "
        "AND v.out_at > $4 AND v.out_at < $5 ORDER BY v.out_at DESC LIMIT 1",
        arrival.scope.community_id, arrival.who.id, arrival.here.id, arrival.at - SAME_SCAN, arrival.at + SAME_SCAN,
    )  # fmt: skip


async def check_in(arrival: ScanContext, *, before: VisitRow | None = None) -> Verdict:
    """Open a visit at the time of the scan.

    `before` is the person's open visit, where an offline scan was made before it began. Nobody has two open visits, so
    the new one is recorded as forgotten until its own check-out arrives.
    """
    scope, station = arrival.scope, arrival.here
    if not station.is_open(arrival.at):
        raise ScanRefused(
            "closed_station",
            station=station.name,
            open=f"{station.opens_at:%H:%M} {station.closes_at:%H:%M}",
        )
    if arrival.asked.offline and await _was_in(arrival):
        raise ScanRefused("overlap")
    choice = await choose_activity(arrival)
    visit_id, over = clock.new_id(), None
    if before is not None:
        over = min(before.in_at, station.opening(arrival.at).closing(arrival.at))
    await Visit.insert(
        Visit(
            community_id=scope.community_id, id=visit_id, person_id=arrival.who.id, station_id=station.id,
            activity_id=choice.activity_id, shift_id=choice.shift_id, in_at=arrival.at, out_at=over,
            status="needs_confirmation" if over else "open", in_by=arrival.by, out_by="closing_time" if over else None,
            flags=[*arrival.flags, *["forgotten_check_out"] * bool(over)],
            opens_at=station.opens_at, closes_at=station.closes_at, in_by_login=scope.login_id, out_by_login=None,
            marks=arrival.marks, in_address=arrival.browser.hint(scope.community_id) if arrival.browser else None,
            read_by=arrival.read_by,
        )
    )  # fmt: skip
    await _record(arrival, "check_in", visit_id, station.id)
    opened = await visit_row(scope, visit_id)
    assert opened is not None
    if over is not None:
        await notify_forgotten(scope, opened, over, await record_visit(scope, opened))
    return check_in_verdict(arrival, opened)


async def _was_in(arrival: ScanContext) -> bool:
    """Whether the person was on another visit at the time of an offline scan."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM visit WHERE community_id = $1 AND person_id = $2 AND in_at <= $3 AND out_at > $3 "
        "AND status <> 'void')",
        arrival.scope.community_id, arrival.who.id, arrival.at,
    )  # fmt: skip
    return found


async def end_of_forgotten(arrival: ScanContext) -> Verdict | None:
    """Apply an offline scan to an earlier visit of the person that was closed without a scan; None where there is none.

    The scan is the real end of that visit, which is judged like every other end and reviewed. A personal code proves
    the time of the scan; with a card only the device vouches for it. Both therefore wait for an uninvolved reviewer.
    """
    visit = await _forgotten_then(arrival)
    if visit is None or visit.station_id != arrival.here.id or arrival.at > visit.closing + CLOSING_GRACE:
        return None
    if arrival.at - visit.in_at < SAME_SCAN and arrival.asked.direction != "out":
        return check_in_verdict(arrival, visit)
    if arrival.asked.direction == "in":
        return None
    await require_undecided(arrival.scope, visit)
    return await check_out(arrival, visit)


async def _forgotten_then(arrival: ScanContext) -> VisitRow | None:
    """Lock and return the person's visit at the time of the scan, if its end was not scanned."""
    found = await database.row(
        VisitRow,
        ROW + "WHERE v.community_id = $1 AND v.person_id = $2 AND v.status <> 'void' AND v.in_at <= $3 "
        "ORDER BY v.in_at DESC, v.id DESC LIMIT 1 FOR NO KEY UPDATE OF v",
        arrival.scope.community_id, arrival.who.id, arrival.at,
    )  # fmt: skip
    return found if found is not None and found.out_by in NOT_SCANNED else None


async def check_out(arrival: ScanContext, visit: VisitRow) -> Verdict:
    """Close the visit at the time of the scan, judge it and write its service record.

    A visit that was closed as forgotten may have a record already, which is judged again.
    """
    scope, flags = arrival.scope, [flag for flag in visit.flags if flag not in UNSCANNED_END]
    tag = await database.execute(
        "UPDATE visit SET status = 'closed', out_at = $3, out_by = $4, flags = $5, out_by_login = $7, "
        "marks = marks || $8, read_by = read_by || $9 WHERE community_id = $1 AND id = $2 AND status = $6",
        scope.community_id, visit.id, arrival.at, arrival.by, list(dict.fromkeys([*flags, *arrival.flags])),
        visit.status, scope.login_id, arrival.marks, arrival.read_by,
    )  # fmt: skip
    ended = await visit_row(scope, visit.id)
    if tag != "UPDATE 1" or ended is None:
        raise RanIntoAnother
    await _record(arrival, "check_out", visit.id, visit.station_id)
    outcome = await (record_visit(scope, ended) if visit.status == "open" else record_again(scope, ended))
    return await check_out_verdict(arrival, ended, outcome)


async def _record(arrival: ScanContext, verb: str, visit_id: UUID, station_id: UUID) -> None:
    """Record the check-in or check-out in the audit; notify a person whom staff have checked in or out by hand."""
    # The actor is the keeper who was signed on at the time; `sent_by` is who has sent the scan in their name.
    sent: dict[str, Any] = {"sent_by": arrival.sender.login_id or arrival.sender.device_id} if arrival.sender else {}
    await audit.record(
        arrival.scope, verb, "visit", visit_id, station_id=station_id, by=arrival.by, offline=arrival.asked.offline,
        **sent,
    )  # fmt: skip
    if arrival.by == "keeper" and not arrival.scope.is_own(arrival.who.id):
        await notify(
            arrival.scope, arrival.who.id, f"checked_by_staff.{verb}", f"visit:{visit_id}:{verb}", visit_id,
            station=arrival.here.name, at=arrival.at,
        )  # fmt: skip
