"""What makes hours doubtful: each flag sends a record to somebody who looks at it."""

from timebank import clock, database
from timebank.areas.policies import Policies
from timebank.checkins.credit import Served
from timebank.checkins.visits import VisitRow
from timebank.scope import Scope


async def doubts(scope: Scope, visit: VisitRow, served: Served, in_force: Policies) -> list[str]:
    """Why somebody should look at a visit before it is credited."""
    flags = await time_doubts(scope, served, in_force)
    if visit.in_device is not None and await _same_device(scope, visit):
        flags.append("same_device")
    if await _was_late(scope, visit):
        flags.append("offline_late")
    if await _is_keeper(scope, visit):
        flags.append("keeper_is_volunteer")
    if "keeper" in (visit.in_by, visit.out_by):
        flags.append("by_keeper")
    return flags


async def time_doubts(scope: Scope, served: Served, in_force: Policies) -> list[str]:
    """What is doubtful about the hours themselves: they overlap with others, or the day grows too long."""
    found = await database.fetch_one(
        "SELECT coalesce(bool_or(started_at < $4 AND ended_at > $3), false) AS overlap, "
        "coalesce(sum(minutes) FILTER (WHERE started_at >= $5 AND started_at < $6), 0)::integer AS minutes "
        "FROM service_record WHERE community_id = $1 AND person_id = $2 AND status NOT IN ('rejected', 'reversed') "
        "AND id <> $7 AND started_at < greatest($4, $6) AND started_at > $3::timestamptz - interval '2 days'",
        scope.community_id, served.person_id, served.started_at, served.ended_at,
        *clock.day_bounds(clock.local_day(served.started_at)), served.id,
    )  # fmt: skip
    assert found is not None
    too_long = found["minutes"] + served.minutes > in_force.review_over_minutes
    return ["overlap"] * found["overlap"] + ["long_day"] * too_long


async def _same_device(scope: Scope, visit: VisitRow) -> bool:
    """Whether the same phone had somebody else in at the same time."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM visit WHERE community_id = $1 AND station_id = $2 AND in_device = $3 "
        "AND person_id <> $4 AND in_at < $6 AND coalesce(out_at, $6) > $5 "
        "AND in_at > $5::timestamptz - interval '1 day')",
        scope.community_id, visit.station_id, visit.in_device, visit.person_id, visit.in_at, visit.out_at,
    )  # fmt: skip
    return found


async def _was_late(scope: Scope, visit: VisitRow) -> bool:
    """Whether the scan that opened the visit reached us more than 15 minutes after it was made."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM scan WHERE community_id = $1 AND station_id = $2 AND visit_id = $3 "
        "AND received_at >= $4 AND received_at - scanned_at > interval '15 minutes')",
        scope.community_id, visit.station_id, visit.id, visit.in_at,
    )  # fmt: skip
    return found


async def _is_keeper(scope: Scope, visit: VisitRow) -> bool:
    """Whether the volunteer keeps the very station where the hours were served."""
    found: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM role_grant WHERE community_id = $1 AND person_id = $2 AND station_id = $3 "
        "AND role = 'station_keeper' AND ended_at IS NULL AND starts_on <= $4 AND (ends_on IS NULL OR ends_on >= $4))",
        scope.community_id, visit.person_id, visit.station_id, clock.local_day(visit.in_at),
    )  # fmt: skip
    return found
