"""Figures that are too slow to count for a page: the worker counts them, pages show them with the time of the count."""

from datetime import date, datetime

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope


class Figures(msgspec.Struct, frozen=True):
    """`expiring`: people's points that expire by the end of this year; `people_this_month`: how many people served.

    `ahead_points` are people's points that expire on `ahead_days`, the earliest first.
    """

    counted_at: datetime
    expiring: int
    people_this_month: int
    ahead_days: list[date]
    ahead_points: list[int]


async def figures(scope: Scope) -> Figures | None:
    """The latest count of this local month; None before the first.

    An earlier count is of another month and, in January, of another year, so it must not be shown as this one's.
    """
    scope.require_reader()
    month = clock.local_day().replace(day=1)
    async with transaction(scope):
        counted = await database.row(
            Figures,
            "SELECT counted_at, expiring, people_this_month, ahead_days, ahead_points "
            "FROM community_figures WHERE community_id = $1",
            scope.community_id,
        )
    if counted is None or clock.local_day(counted.counted_at).replace(day=1) != month:
        return None
    return counted


@retried
async def count_figures(scope: Scope) -> None:
    """Count and store the figures. If two workers run at once, the later count is kept."""
    now = clock.now()
    today = clock.local_day(now)
    month, _end = clock.day_bounds(today.replace(day=1))
    async with transaction(scope):
        [counted] = await database.fetch_unlimited(
            "WITH ahead AS (SELECT expires_on, sum(balance)::bigint AS balance FROM account WHERE community_id = $1 "
            "AND currency = 'point' AND bucket = 'available' AND owner_kind = 'person' AND balance > 0 "
            "AND expires_on >= $2 GROUP BY expires_on) "
            "SELECT (SELECT coalesce(sum(balance), 0)::bigint FROM ahead WHERE expires_on <= $3) AS expiring, "
            "ARRAY(SELECT expires_on FROM ahead ORDER BY expires_on) AS days, "
            "ARRAY(SELECT balance FROM ahead ORDER BY expires_on) AS points, "
            "(SELECT count(DISTINCT person_id)::integer FROM service_record WHERE community_id = $1 "
            "AND status = 'approved' AND created_at >= $4) AS people_this_month",
            scope.community_id, today, date(today.year, 12, 31), month,
        )  # fmt: skip
        await database.execute(
            "INSERT INTO community_figures AS f "
            "(community_id, counted_at, expiring, people_this_month, ahead_days, ahead_points) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (community_id) DO UPDATE SET counted_at = $2, expiring = $3, "
            "people_this_month = $4, ahead_days = $5, ahead_points = $6 WHERE f.counted_at <= $2",
            scope.community_id, now, counted["expiring"], counted["people_this_month"], counted["days"],
            counted["points"],
        )  # fmt: skip
