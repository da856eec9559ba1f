"""The facts by which hours are judged, read in one place. Each flag sends a record to review."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.roles.paid import paid_between
from timebank.areas.workdays import DayWorks, differing_question, workdays_from
from timebank.core import clock, database
from timebank.core.database import Question
from timebank.core.scope import Scope
from timebank.policies.values import Policies, PolicyValue, policy_values
from timebank.presence.evidence.card_scans import unconfirmed_question
from timebank.presence.visits import VisitRow
from timebank.rules.schemas import RuleOut
from timebank.service_records.crediting.credit import Served, credited_question, rule_question
from timebank.service_records.judging import (
    Other,
    Span,
    TimeFacts,
    VisitFacts,
    paid_flags,
    paid_hours,
    time_flags,
)

# A record begins at most a day after the day on which it counts, and lasts at most a day.
AROUND = timedelta(days=2)


class _OtherRow(msgspec.Struct, frozen=True):
    started_at: datetime
    ended_at: datetime
    minutes: int
    counts_on: date | None


class _Stay(msgspec.Struct, frozen=True):
    in_at: datetime
    out_at: datetime | None


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says about a visit that has ended, by one statement.

    `rule` is the earning rule, `taken` the minutes credited on the visit's day already, `others` the person's other
    records around it, `beside` the visits of other people that the same browser or session scanned.
    """

    policies: list[PolicyValue]
    rule: RuleOut | None
    shift: Span | None = None
    others: list[_OtherRow]
    beside: list[_Stay] = []
    taken: int
    has_unconfirmed_card: bool
    is_keeper: bool
    is_elsewhere: bool
    is_paid: bool
    differing: list[DayWorks]


async def record_facts(
    scope: Scope, visit: VisitRow, *, record_id: UUID | None = None, rule_code: str | None = None
) -> RecordFacts:
    """The facts by which a visit that has ended is judged and credited, read by one statement.

    `record_id` and `rule_code` are those of the record that it has already.
    """
    assert visit.out_at is not None
    span, day = Span(visit.in_at, visit.out_at), visit.opening.day
    questions = {
        "policies": policy_values(scope),
        "rule": rule_question(scope, rule_code, visit.activity_id, visit.out_at),
        "others": _others(scope, visit.person_id, span, day, record_id),
        "taken": credited_question(scope, visit.person_id, day, record_id),
        "has_unconfirmed_card": unconfirmed_question(scope, visit.person_id),
        "is_keeper": _is_keeper(scope, visit, day),
        "is_elsewhere": _is_elsewhere(scope, visit.person_id, span),
    } | _paid_questions(scope, visit.person_id, span)
    if visit.shift_id is not None:
        questions["shift"] = database.one(
            'SELECT starts_at AS begin, ends_at AS "end" FROM shift WHERE community_id = $1 AND id = $2',
            scope.community_id, visit.shift_id,
        )  # fmt: skip
    if visit.marks:
        questions["beside"] = _beside(scope, visit)
    return await database.read(RecordFacts, **questions)


def visit_facts(visit: VisitRow, found: RecordFacts, in_force: Policies) -> VisitFacts:
    """The facts by which a visit that has ended is judged."""
    out_at, opening = visit.out_at, visit.opening
    assert out_at is not None
    beside = [Span(other.in_at, other.out_at or max(out_at, other.in_at)) for other in found.beside]
    return VisitFacts(
        opening=opening, shift=found.shift, least_minutes=in_force.visit_minutes_min,
        attendance_percent=in_force.attendance_percent_min, time=_time_facts(found.others, opening.day, in_force),
        beside=beside, doubts=_flags(visit, found), paid=visit.paid,
        duty=_duty(Span(visit.in_at, out_at), found.is_paid, found.differing, in_force),
    )  # fmt: skip


class _EnteredFacts(msgspec.Struct, frozen=True, kw_only=True):
    others: list[_OtherRow]
    is_in: bool
    is_elsewhere: bool
    is_paid: bool
    differing: list[DayWorks]


async def flags_of_entered_hours(scope: Scope, served: Served, in_force: Policies) -> list[str]:
    """The flags of hours that were entered by hand."""
    span = Span(served.started_at, served.ended_at)
    facts = await database.read(
        _EnteredFacts,
        others=_others(scope, served.person_id, span, served.day, served.id),
        is_in=_is_in_since(scope, served.person_id, span),
        is_elsewhere=_is_elsewhere(scope, served.person_id, span),
        **_paid_questions(scope, served.person_id, span),
    )
    found = time_flags(span, served.minutes, _time_facts(facts.others, served.day, in_force))
    if "overlap" not in found and facts.is_in:
        found.insert(0, "overlap")
    if facts.is_elsewhere:
        found.append("two_communities")
    found += paid_flags(span, _duty(span, facts.is_paid, facts.differing, in_force))
    if is_long_ago(served.started_at, in_force):
        found.append("long_ago")
    return found


def _paid_questions(scope: Scope, person_id: UUID, span: Span) -> dict[str, Question]:
    """Whether the person is paid for a duty around the span, and which of its days differ from Monday to Friday."""
    first, last = clock.local_day(span.begin), clock.local_day(span.end)
    return {
        "is_paid": paid_between(scope, person_id, first, last),
        "differing": differing_question(scope, first, last),
    }


def _duty(span: Span, is_paid: bool, differing: Sequence[DayWorks], in_force: Policies) -> list[Span]:
    """The paid hours around a span; none for whoever holds no paid role, or where they are not reviewed."""
    if not (is_paid and in_force.paid_hours_review):
        return []
    first, last = clock.local_day(span.begin), clock.local_day(span.end)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return paid_hours(days, workdays_from(differing).is_workday)


def is_long_ago(started_at: datetime, in_force: Policies) -> bool:
    """Whether hours are too old to be entered by hand. An import may enter them; they then get a flag."""
    # Compared as moments, because the first and last days of the calendar have no local day.
    return started_at < clock.day_bounds(clock.local_day() - timedelta(days=in_force.honour_days_max))[0]


def _is_in_since(scope: Scope, person_id: UUID, span: Span) -> Question:
    """Whether the person has an open visit that began before the hours ended. An open visit has no record yet."""
    return database.value(
        "SELECT EXISTS (SELECT FROM visit WHERE community_id = $1 AND person_id = $2 AND status = 'open' "
        "AND in_at < $3)",
        scope.community_id, person_id, span.end,
    )  # fmt: skip


def _is_elsewhere(scope: Scope, person_id: UUID, span: Span) -> Question:
    """Whether the person's login was present in another community at the time."""
    return database.value(
        "SELECT present_elsewhere($1, $2, $3, $4)", scope.community_id, person_id, span.begin, span.end
    )


def _others(scope: Scope, person_id: UUID, span: Span, day: date, record_id: UUID | None) -> Question:
    """The person's other records that count, on the days around the span."""
    begin, end = clock.day_bounds(day)
    return database.many(
        "SELECT started_at, ended_at, minutes, counts_on FROM service_record WHERE community_id = $1 "
        "AND person_id = $2 AND status NOT IN ('rejected', 'reversed', 'withdrawn') AND id IS DISTINCT FROM $3 "
        "AND started_at > $4 AND started_at < $5",
        scope.community_id, person_id, record_id, min(span.begin, begin) - AROUND, max(span.end, end) + AROUND,
    )  # fmt: skip


def _time_facts(rows: Sequence[_OtherRow], day: date, in_force: Policies) -> TimeFacts:
    others = [
        Other(Span(r.started_at, r.ended_at), r.minutes, r.counts_on or clock.local_day(r.started_at)) for r in rows
    ]
    return TimeFacts(day, others, in_force.review_over_minutes)


def _beside(scope: Scope, visit: VisitRow) -> Question:
    """The visits of other people that the same browser or session scanned, at any station, on the days around it."""
    return database.many(
        "SELECT in_at, out_at FROM visits_marked($1, $2, $3::text[]::bytea[], $4, $5)",
        scope.community_id, visit.person_id, visit.marks, visit.in_at - AROUND, visit.out_at,
    )  # fmt: skip


def _flags(visit: VisitRow, found: RecordFacts) -> list[str]:
    """The flags of a visit that do not depend on its length."""
    flags = list(visit.flags)
    if "own_card" in flags and not found.has_unconfirmed_card:
        flags.remove("own_card")
    flags += ["keeper_is_volunteer"] * found.is_keeper
    flags += ["two_communities"] * found.is_elsewhere
    flags += ["by_keeper"] * ("keeper" in (visit.in_by, visit.out_by))
    return flags if found.rule is not None else [*flags, "no_rule"]


def _is_keeper(scope: Scope, visit: VisitRow, day: date) -> Question:
    """Whether the volunteer was keeper of this station during the visit, even if the role grant has ended since.

    One login may stand for several residents; the role grants of all of them count.
    """
    return database.value(
        "SELECT EXISTS (SELECT FROM role_grant WHERE community_id = $1 AND station_id = $3 AND (person_id = $2 "
        "OR person_id IN (SELECT o.person_id FROM membership m JOIN membership o ON o.community_id = m.community_id "
        "AND o.login_id = m.login_id WHERE m.community_id = $1 AND m.person_id = $2)) "
        "AND role = 'station_keeper' AND (ended_at IS NULL OR ended_at > $5) "
        "AND starts_on <= $6 AND (ends_on IS NULL OR ends_on >= $4))",
        scope.community_id, visit.person_id, visit.station_id, day, visit.in_at,
        clock.local_day(visit.out_at or visit.in_at),
    )  # fmt: skip


def counts_on(started_at: datetime, day: date) -> date | None:
    """The value to store as `counts_on`: None where a record counts on the day on which it began."""
    return None if clock.local_day(started_at) == day else day
