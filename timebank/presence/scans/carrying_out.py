"""Carrying out what was decided about a scan. The rows are queued: one statement writes them before the commit."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from timebank.core import audit, clock, database
from timebank.core.database import Write
from timebank.people.messages import notify
from timebank.policies.values import Policies
from timebank.presence import verdicts
from timebank.presence.forgotten import close_as_forgotten, notify_forgotten
from timebank.presence.outcomes import record_again, record_visit, require_undecided
from timebank.presence.scans.context import ScanContext
from timebank.presence.scans.deciding import Decision
from timebank.presence.scans.facts import Identified
from timebank.presence.schemas import Verdict
from timebank.presence.tables import Visit
from timebank.presence.visits import VisitRow

UNSCANNED_END = ("forgotten_check_out", "corrected_end")  # the flags of a visit whose end was not scanned


async def carry_out(context: ScanContext, found: Identified, decision: Decision, in_force: Policies) -> Verdict:
    """Carry a decision out, and return its verdict. Raises ScanRefused where a visit was decided meanwhile."""
    if decision.forgotten is not None:
        await close_as_forgotten(context.scope, decision.forgotten)
    if decision.refusal is not None:
        raise decision.refusal
    if decision.step == "identify":
        assert found.person is not None
        await audit.record(context.scope, "identify", "person", found.person.id)
        return Verdict(status="ok", person=verdicts.person_seen(found.person))
    if decision.step == "check_in":
        return await _check_in(context, found, decision)
    visit = decision.visit
    assert visit is not None
    if decision.step == "same_check_in":
        return verdicts.check_in_verdict(found.person, visit, decision.flags)
    if decision.step == "same_check_out":
        return await verdicts.repeated_check_out_verdict(context.scope, found.person, visit, in_force)
    if decision.step == "late_check_out":
        await require_undecided(context.scope, visit)
    return await _check_out(context, found, decision, visit, in_force)


async def _check_in(context: ScanContext, found: Identified, decision: Decision) -> Verdict:
    """Open a visit; one that ends at `over` is recorded as forgotten, and the person is notified."""
    scope, station, person, choice = context.scope, found.station, found.person, decision.choice
    assert station is not None and person is not None and choice is not None  # noqa: PT018
    over = decision.over
    opened = VisitRow(
        id=clock.new_id(), person_id=person.id, station_id=station.id, station=station.name,
        activity_id=choice.activity_id, activity=choice.name, shift_id=choice.shift_id, in_at=found.at, out_at=over,
        status="needs_confirmation" if over else "open", in_by=context.by, out_by="closing_time" if over else None,
        marks=database.as_texts(context.marks),
        flags=[*decision.flags, *["forgotten_check_out"] * bool(over)],
        opens_at=station.opens_at, closes_at=station.closes_at, paid=choice.paid,
    )  # fmt: skip
    database.queue(_row(context, opened, decision))
    await _record(context, found, "check_in", opened.id, station.id)
    if over is not None:
        await database.flush()
        await notify_forgotten(scope, opened, over, await record_visit(scope, opened))
    return verdicts.check_in_verdict(person, opened, decision.flags)


def _row(context: ScanContext, visit: VisitRow, decision: Decision) -> Write:
    scope, browser = context.scope, context.browser if context.by == "station_code" else None
    return database.insert(Visit(
        community_id=scope.community_id, id=visit.id, person_id=visit.person_id, station_id=visit.station_id,
        activity_id=visit.activity_id, shift_id=visit.shift_id, in_at=visit.in_at, out_at=visit.out_at,
        status=visit.status, in_by=visit.in_by, out_by=visit.out_by, flags=visit.flags, opens_at=visit.opens_at,
        closes_at=visit.closes_at, in_by_login=scope.login_id, out_by_login=None, marks=context.marks,
        in_address=browser.hint(scope.community_id) if browser else None, read_by=decision.read_by,
        in_received_at=context.received_at, out_received_at=None, paid=visit.paid,
    ))  # fmt: skip


async def _check_out(
    context: ScanContext, found: Identified, decision: Decision, visit: VisitRow, in_force: Policies
) -> Verdict:
    """Close the visit at the time of the scan, judge it and write its service record.

    A visit that was closed as forgotten may have a record already, which is judged again.
    """
    scope, marks = context.scope, database.as_texts(context.marks)
    kept = [flag for flag in visit.flags if flag not in UNSCANNED_END]
    flags = list(dict.fromkeys([*kept, *decision.flags]))
    database.queue(
        database.change(
            "UPDATE visit SET status = 'closed', out_at = $3, out_by = $4, flags = $5::text[], out_by_login = $7, "
            "marks = marks || $8::text[]::bytea[], read_by = read_by || $9::text[]::uuid[], out_received_at = $10 "
            "WHERE community_id = $1 AND id = $2 AND status = $6",
            scope.community_id, visit.id, found.at, context.by, flags, visit.status, scope.login_id, marks,
            database.as_texts(decision.read_by), context.received_at,
        )
    )  # fmt: skip
    await _record(context, found, "check_out", visit.id, visit.station_id)
    ended = replace(
        visit, status="closed", out_at=found.at, out_by=context.by, flags=flags, marks=[*visit.marks, *marks]
    )
    if decision.step == "late_check_out":
        await database.flush()
        outcome = await record_again(scope, ended)
    else:
        outcome = await record_visit(scope, ended)
    return verdicts.check_out_verdict(found.person, ended, outcome, in_force)


async def _record(context: ScanContext, found: Identified, verb: str, visit_id: UUID, station_id: UUID) -> None:
    """Record the check-in or check-out in the audit; notify a person whom staff have checked in or out by hand."""
    # The actor is the keeper who was signed on at the time; `sent_by` is who has sent the scan in their name.
    sender, person = context.sender, found.person
    sent: dict[str, Any] = {"sent_by": sender.login_id or sender.device_id} if sender else {}
    await audit.record(
        context.scope, verb, "visit", visit_id, about_id=person.id if person else None, station_id=station_id,
        by=context.by, offline=context.asked.offline, **sent,
    )  # fmt: skip
    assert person is not None and found.station is not None  # noqa: PT018
    if context.by == "keeper" and not context.scope.is_own(person.id):
        await notify(
            context.scope, person.id, f"checked_by_staff.{verb}", f"visit:{visit_id}:{verb}:{context.asked.nonce}",
            visit_id, station=found.station.name, at=found.at,
        )  # fmt: skip


def keep_verdict(context: ScanContext, found: Identified, request_hash: bytes, verdict: Verdict) -> None:
    """Store the verdict under its nonce, with the person's name masked.

    What was chosen after a scan was received and identified with that scan: it proves presence no longer than it.

    Where the same nonce is stored meanwhile, the transaction is rolled back and run again, and finds it.
    """
    kept, scope = verdict, context.scope
    received_at = found.seen.received_at if found.seen else context.received_at
    if verdict.person is not None:
        kept = replace(verdict, person=replace(verdict.person, name=verdict.person.masked_name))
    database.queue(
        database.change(
            "INSERT INTO scan (community_id, nonce, request_hash, scanned_at, received_at, station_id, person_id, "
            "visit_id, status, reason, verdict, device_at, skew_seconds, how, card_id, device_id, by_login, "
            "sent_by_login) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14, $15, $16, $17, "
            "$18) ON CONFLICT (community_id, nonce) DO NOTHING",
            scope.community_id, context.asked.nonce, request_hash, found.at, received_at,
            found.station.id if found.station else None, found.person.id if found.person else None,
            verdict.visit.id if verdict.visit else None, verdict.status, verdict.reason,
            msgspec.json.encode(kept).decode(), *_by_the_device(context), context.by or None,
            found.card.id if found.card else None, scope.device_id, scope.login_id,
            context.sender.login_id if context.sender else None,
        )
    )  # fmt: skip


def _by_the_device(context: ScanContext) -> tuple[datetime | None, int | None]:
    """The device's time of an offline scan and its clock's skew in seconds; a time out of range is None."""
    told, skew = context.asked.occurred_at, context.clock.skew
    if not context.asked.offline or told is None:
        return None, None
    seconds = int(skew.total_seconds()) if skew is not None else None
    try:
        return told.astimezone(UTC), seconds
    except OverflowError:
        return None, seconds
