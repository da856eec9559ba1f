"""The facts by which hours are judged, read in one place. Each flag sends a record to review."""

from datetime import date, datetime, timedelta
from uuid import UUID

from timebank.core import clock, database
from timebank.core.scope import Scope
from timebank.policies.values import Policies
from timebank.presence.evidence.card_scans import is_still_unconfirmed
from timebank.presence.visits import VisitRow
from timebank.service_records.crediting.credit import Served
from timebank.service_records.judging import Other, Span, TimeFacts, VisitFacts, time_flags

# A record begins at most a day after the day on which it counts, and lasts at most a day.
AROUND = timedelta(days=2)


async def visit_facts(
    scope: Scope, visit: VisitRow, in_force: Policies, *, has_rule: bool, record_id: UUID | None = None
) -> VisitFacts:
    """The facts by which a visit that has ended is judged. `record_id` is the record that it has already."""
    assert visit.out_at is not None
    opening = visit.opening
    span = Span(visit.in_at, visit.out_at)
    return VisitFacts(
        opening=opening, shift=await _shift(scope, visit), least_minutes=in_force.visit_minutes_min,
        attendance_percent=in_force.attendance_percent_min,
        time=await _time_facts(scope, visit.person_id, span, opening.day, in_force, record_id),
        beside=await _beside(scope, visit), doubts=await _flags(scope, visit, opening.day, has_rule),
    )  # fmt: skip


async def flags_of_entered_hours(scope: Scope, served: Served, in_force: Policies) -> list[str]:
    """The flags of hours that were entered by hand."""
    span = Span(served.started_at, served.ended_at)
    facts = await _time_facts(scope, served.person_id, span, served.day, in_force, served.id)
    found = time_flags(span, served.minutes, facts)
    if "overlap" not in found and await _is_in_since(scope, served.person_id, span):
        found.insert(0, "overlap")
    if await _is_elsewhere(scope, served.person_id, span):
        found.append("two_communities")
    if is_long_ago(served.started_at, in_force):
        found.append("long_ago")
    return found


def is_long_ago(started_at: datetime, in_force: Policies) -> bool:
    """Whether hours are too old to be entered by hand. An import may enter them; they then get a flag."""
    # Compared as moments, because the first and last days of the calendar have no local day.
    return started_at < clock.day_bounds(clock.local_day() - timedelta(days=in_force.honour_days_max))[0]


async def _is_in_since(scope: Scope, person_id: UUID, span: Span) -> bool:
    """Whether the person has an open visit that began before the hours ended. An open visit has no record yet."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM visit WHERE community_id = $1 AND person_id = $2 AND status = 'open' "
        "AND in_at < $3)",
        scope.community_id, person_id, span.end,
    )  # fmt: skip
    return found


async def _is_elsewhere(scope: Scope, person_id: UUID, span: Span) -> bool:
    """Whether the person's login was present in another community at the time."""
    found: bool = await database.fetch_value(
        "SELECT present_elsewhere($1, $2, $3, $4)", scope.community_id, person_id, span.begin, span.end
    )
    return found


async def _shift(scope: Scope, visit: VisitRow) -> Span | None:
    if visit.shift_id is None:
        return None
    return await database.row(
        Span,
        'SELECT starts_at AS begin, ends_at AS "end" FROM shift WHERE community_id = $1 AND id = $2',
        scope.community_id, visit.shift_id,
    )  # fmt: skip


async def _time_facts(
    scope: Scope, person_id: UUID, span: Span, day: date, in_force: Policies, record_id: UUID | None
) -> TimeFacts:
    begin, end = clock.day_bounds(day)
    found = await database.fetch(
        "SELECT started_at, ended_at, minutes, counts_on FROM service_record WHERE community_id = $1 "
        "AND person_id = $2 AND status NOT IN ('rejected', 'reversed', 'withdrawn') AND id IS DISTINCT FROM $3 "
        "AND started_at > $4 AND started_at < $5",
        scope.community_id, person_id, record_id, min(span.begin, begin) - AROUND, max(span.end, end) + AROUND,
    )  # fmt: skip
    others = [
        Other(Span(r["started_at"], r["ended_at"]), r["minutes"], r["counts_on"] or clock.local_day(r["started_at"]))
        for r in found
    ]
    return TimeFacts(day, others, in_force.review_over_minutes)


async def _beside(scope: Scope, visit: VisitRow) -> list[Span]:
    """The visits of other people that the same browser or session scanned, at any station, on the days around it."""
    if not visit.marks:
        return []
    found = await database.fetch(
        "SELECT v.in_at, v.out_at FROM station s JOIN visit v ON v.community_id = $1 AND v.station_id = s.id "
        "AND v.marks && $2 AND v.person_id <> $3 AND v.in_at > $4 AND v.in_at < $5 WHERE s.community_id = $1",
        scope.community_id, visit.marks, visit.person_id, visit.in_at - AROUND, visit.out_at,
    )  # fmt: skip
    assert visit.out_at is not None
    return [Span(row["in_at"], row["out_at"] or max(visit.out_at, row["in_at"])) for row in found]


async def _flags(scope: Scope, visit: VisitRow, day: date, has_rule: bool) -> list[str]:
    """The flags of a visit that do not depend on its length."""
    found = list(visit.flags)
    if "own_card" in found and not await is_still_unconfirmed(scope, visit.person_id):
        found.remove("own_card")
    if await _is_keeper(scope, visit, day):
        found.append("keeper_is_volunteer")
    if await _is_elsewhere(scope, visit.person_id, Span(visit.in_at, visit.out_at or visit.in_at)):
        found.append("two_communities")
    if "keeper" in (visit.in_by, visit.out_by):
        found.append("by_keeper")
    return found if has_rule else [*found, "no_rule"]


async def _is_keeper(scope: Scope, visit: VisitRow, day: date) -> bool:
    """Whether the volunteer was keeper of this station during the visit, even if the role grant has ended since.

    One login may stand for several residents; the role grants of all of them count.
    """
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM role_grant WHERE community_id = $1 AND station_id = $3 AND (person_id = $2 "
        "OR person_id IN (SELECT o.person_id FROM membership m JOIN membership o ON o.community_id = m.community_id "
        "AND o.login_id = m.login_id WHERE m.community_id = $1 AND m.person_id = $2)) "
        "AND role = 'station_keeper' AND (ended_at IS NULL OR ended_at > $5) "
        "AND starts_on <= $6 AND (ends_on IS NULL OR ends_on >= $4))",
        scope.community_id, visit.person_id, visit.station_id, day, visit.in_at,
        clock.local_day(visit.out_at or visit.in_at),
    )  # fmt: skip
    return found


def counts_on(started_at: datetime, day: date) -> date | None:
    """The value to store as `counts_on`: None where a record counts on the day on which it began."""
    return None if clock.local_day(started_at) == day else day
