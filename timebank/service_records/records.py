"""Service records: the minutes of a visit become a record, which is credited at once unless it has flags."""

from uuid import UUID

import msgspec
from msgspec.structs import replace

from timebank.core import audit, clock, database
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase, read_phrase
from timebank.policies.values import Policies, policies_from
from timebank.presence.outcomes import Outcome
from timebank.presence.visits import VisitRow
from timebank.presence.words import ScanRefused
from timebank.rules.source_row import SourceRow
from timebank.service_records.crediting.credit import Credit, Served, post_credit, record_credit, service_rule
from timebank.service_records.facts import counts_on, record_facts, visit_facts
from timebank.service_records.judging import Judgement, judge_visit
from timebank.service_records.tables import ServiceRecord


class Written(msgspec.Struct, frozen=True):
    """The record that a visit has already."""

    id: UUID
    status: str
    rule_code: str


class _Stored(Outcome, frozen=True, kw_only=True):
    review_said: str | None


async def record_visit(scope: Scope, visit: VisitRow) -> Outcome:
    """Write the service record of a visit that has ended, and credit it at once unless it has flags.

    Paid duty and a visit that is too short make no record.

    The caller holds the row lock of the visit and, except for a forgotten check-out, of the person. The record is
    queued.
    """
    assert visit.out_at is not None
    facts = await record_facts(scope, visit)
    in_force, rule = policies_from(facts.policies), service_rule(facts.rule)
    found = judge_visit(visit.in_at, visit.out_at, visit_facts(visit, replace(facts, rule=rule), in_force))
    if found.status == "paid":
        return Outcome(record_id=None, status="paid", minutes=found.minutes, why=why_not(found, in_force))
    if found.status == "too_short":
        return Outcome(record_id=None, status="too_short", minutes=found.minutes)
    served = Served(
        id=clock.new_id(), kind="credit", person_id=visit.person_id, started_at=found.span.begin,
        ended_at=found.span.end, minutes=found.minutes,
        rule_code=rule.code if rule else "service", place=visit.station, day=visit.opening.day,
    )  # fmt: skip
    why = why_not(found, in_force)
    if why is not None:
        await insert_record(scope, served, status="rejected", flags=[], visit=visit, why=why)
        return Outcome(record_id=served.id, status="rejected", minutes=found.minutes, why=why)
    if found.status == "doubtful" or rule is None:
        await insert_record(scope, served, status="pending", flags=found.flags, visit=visit)
        return Outcome(record_id=served.id, status="pending", minutes=found.minutes, flags=found.flags)
    credit = await post_credit(scope, served, rule, in_force, facts.taken)
    await insert_record(scope, served, status="approved", flags=[], visit=visit, credit=credit)
    await record_credit(scope, served, credit)
    return Outcome(
        record_id=served.id, status="approved", minutes=found.minutes, flags=[], note=None,
        credited_minutes=credit.minutes, credited_points=credit.points, minutes_left=credit.minutes_left,
        capped=credit.capped,
    )  # fmt: skip


async def outcome_of(scope: Scope, visit_id: UUID) -> Outcome | None:
    """The outcome stored in a visit's record; None where the visit has no record."""
    found = await database.row(
        _Stored,
        "SELECT id AS record_id, status, minutes, flags, review_note AS note, review_said, "
        "coalesce(credited_minutes, 0) AS credited_minutes, coalesce(credited_points, 0) AS credited_points "
        "FROM service_record WHERE community_id = $1 AND visit_id = $2 AND status <> 'withdrawn'",
        scope.community_id, visit_id,
    )  # fmt: skip
    return None if found is None else msgspec.structs.replace(found, why=read_phrase(found.review_said))


async def require_undecided(scope: Scope, visit: VisitRow) -> None:
    """Lock the visit's record. Raises ScanRefused where somebody has decided it, so that the visit's end is final."""
    found = await _written(scope, visit)
    if found is not None and found.status != "pending":
        raise ScanRefused("decided_meanwhile")


async def _written(scope: Scope, visit: VisitRow) -> Written | None:
    return await database.row(
        Written,
        "SELECT id, status, rule_code FROM service_record WHERE community_id = $1 AND visit_id = $2 "
        "AND status <> 'withdrawn' FOR NO KEY UPDATE",
        scope.community_id, visit.id,
    )  # fmt: skip


async def record_again(scope: Scope, visit: VisitRow) -> Outcome:
    """Judge a visit again whose forgotten check-out has arrived. Call `require_undecided` first."""
    found = await _written(scope, visit)
    if found is None:
        return await record_visit(scope, visit)
    judgement, why = await judge_again(scope, found.id, found.rule_code, visit)
    if why is None:
        return Outcome(record_id=found.id, status="pending", minutes=judgement.minutes, flags=judgement.flags)
    await ServiceRecord.update({ServiceRecord.status: "rejected", ServiceRecord.review_said: why.stored()}).where(
        (ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == found.id)
    )
    outcome = "too_short" if judgement.status == "too_short" else "rejected"
    return Outcome(record_id=found.id, status=outcome, minutes=judgement.minutes, why=why)


async def judge_again(
    scope: Scope, record_id: UUID, rule_code: str, visit: VisitRow
) -> tuple[Judgement, Phrase | None]:
    """Judge a visit with its new end and update its record; return the judgement, and why it does not count or None."""
    assert visit.out_at is not None
    facts = await record_facts(scope, visit, record_id=record_id, rule_code=rule_code)
    in_force = policies_from(facts.policies)
    known = replace(facts, rule=service_rule(facts.rule))
    found = judge_visit(visit.in_at, visit.out_at, visit_facts(visit, known, in_force))
    await ServiceRecord.update(
        {
            ServiceRecord.started_at: found.span.begin, ServiceRecord.ended_at: found.span.end,
            ServiceRecord.minutes: found.minutes, ServiceRecord.flags: found.flags,
        }
    ).where((ServiceRecord.community_id == scope.community_id) & (ServiceRecord.id == record_id))  # fmt: skip
    return found, why_not(found, in_force)


def why_not(found: Judgement, in_force: Policies) -> Phrase | None:
    """The reason why a visit does not count; None where it does."""
    if found.status == "paid":
        return phrase("not_counted.paid")
    if found.status == "too_short":
        return phrase("not_counted.too_short", stayed=found.minutes, least=max(1, in_force.visit_minutes_min))
    if found.status == "attendance_too_low":
        least = in_force.attendance_percent_min
        return phrase("not_counted.attendance", stayed=found.minutes, planned=found.planned, percent=least)
    return None


async def insert_record(
    scope: Scope, served: Served, *, status: str, flags: list[str], visit: VisitRow | None = None,
    activity_id: UUID | None = None, station_id: UUID | None = None, reason: str | None = None,
    why: Phrase | None = None, credit: Credit | None = None, entered_by: UUID | None = None,
    source: SourceRow | None = None,
) -> None:  # fmt: skip
    """Queue a service record: of a visit, with why it does not count, or honour hours that somebody enters or confirms.

    `entered_by` is who entered or confirmed the hours, `reason` what they wrote.
    """
    row = database.insert(ServiceRecord(
        community_id=scope.community_id, id=served.id, kind=served.kind, person_id=served.person_id,
        visit_id=visit.id if visit else None, activity_id=visit.activity_id if visit else activity_id,
        station_id=visit.station_id if visit else station_id, started_at=served.started_at,
        ended_at=served.ended_at, minutes=served.minutes, status=status, flags=flags, reason=reason,
        entered_by=entered_by, reviewed_by=None, reviewed_at=None, review_note=None,
        notice_until=None, rule_code=served.rule_code, rule_version=credit.rule_version if credit else None,
        credited_minutes=credit.minutes if credit else None, credited_points=credit.points if credit else None,
        entry_id=credit.entry_id if credit else None, created_at=clock.now(),
        counts_on=counts_on(served.started_at, served.day), corrected_by=None, corrected_at=None,
        withdrawn_at=None, withdrawn_by=None, source_kind=source.kind if source else None,
        source_id=source.id if source else None, reason_said=None, review_said=why.stored() if why else None,
    ))  # fmt: skip
    database.queue(row)
    await audit.record(
        scope, "record_service", "service_record", served.id, about_id=served.person_id, kind=served.kind,
        status=status, flags=flags, minutes=served.minutes,
    )  # fmt: skip
