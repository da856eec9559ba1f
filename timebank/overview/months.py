"""The service of each month: counted by the worker, because that reads history; pages read what was counted."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from timebank.core import clock, database, settings
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope

MONTHS_KEPT = 25
"""This month, the twelve before it, and for each of the last twelve the month a year earlier."""


class Service(msgspec.Struct, frozen=True):
    """Minutes of approved service that began in a month, and how many people gave it."""

    month: date
    minutes: int
    people: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What of a month's service, and of the points for it, is of one activity, station or the people of one area."""

    kind: Literal["activity", "station", "area"]
    about_id: UUID
    name: str
    minutes: int
    people: int
    points: int


def months_back(month: date, count: int) -> date:
    """The first day of the month that is `count` months before this one."""
    years, index = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(years, index + 1, 1)


_COUNT = """
WITH served AS (
    SELECT date_trunc('month', r.started_at AT TIME ZONE $3)::date AS month, r.person_id, r.minutes, r.activity_id,
           coalesce(r.credited_points, 0) AS points, r.station_id, a.path[1] AS area_id
    FROM service_record r JOIN person p ON p.community_id = r.community_id AND p.id = r.person_id
    LEFT JOIN household h ON h.community_id = p.community_id AND h.id = p.household_id
    LEFT JOIN area a ON a.community_id = h.community_id AND a.id = h.area_id
    WHERE r.community_id = $1 AND r.status = 'approved' AND r.started_at >= $2
)
SELECT s.month, k.kind, k.about_id, sum(s.minutes)::bigint AS minutes, count(DISTINCT s.person_id)::integer AS people,
       sum(s.points)::bigint AS points
FROM served s CROSS JOIN LATERAL (
    VALUES ('all', $1::uuid), ('activity', s.activity_id), ('station', s.station_id), ('area', s.area_id)
) AS k (kind, about_id)
WHERE k.about_id IS NOT NULL GROUP BY s.month, k.kind, k.about_id
"""
_COLUMNS = ("community_id", "month", "kind", "about_id", "minutes", "people", "points")


@retried
async def count_months(scope: Scope, months: int = MONTHS_KEPT) -> None:
    """Count the last `months` months anew. An hour that was entered late changes the month in which it was served."""
    first = months_back(clock.local_day().replace(day=1), months - 1)
    async with transaction(scope):
        # Of two workers the second one waits here, and counts after the first.
        await database.fetch_value(
            "SELECT community_id FROM community_figures WHERE community_id = $1 FOR NO KEY UPDATE", scope.community_id
        )
        counted = await database.fetch_unlimited(
            _COUNT, scope.community_id, clock.day_bounds(first)[0], settings.current().time_zone.key
        )
        await database.execute(
            "DELETE FROM month_service WHERE community_id = $1 AND month >= $2", scope.community_id, first
        )
        rows = [(scope.community_id, *row.values()) for row in counted]
        await database.insert_many("month_service", _COLUMNS, rows, "ON CONFLICT DO NOTHING")


async def count_this_month(scope: Scope) -> None:
    """Count this month and the one before it, whose last hours are approved in this one."""
    await count_months(scope, 2)


async def service_by_month(scope: Scope, first: date) -> dict[date, Service]:
    """The service of each month since the first day of a month; for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        found = await database.rows(
            Service,
            "SELECT month, minutes, people FROM month_service WHERE community_id = $1 AND month >= $2 AND kind = 'all'",
            scope.community_id, first,
        )  # fmt: skip
    return {each.month: each for each in found}


_SHARES = """
SELECT m.kind, m.about_id, coalesce(a.name, s.name, g.name, '') AS name, m.minutes, m.people, m.points
FROM month_service m
LEFT JOIN activity a ON m.kind = 'activity' AND a.community_id = m.community_id AND a.id = m.about_id
LEFT JOIN station s ON m.kind = 'station' AND s.community_id = m.community_id AND s.id = m.about_id
LEFT JOIN area g ON m.kind = 'area' AND g.community_id = m.community_id AND g.id = m.about_id
WHERE m.community_id = $1 AND m.month = $2 AND m.kind <> 'all' ORDER BY m.minutes DESC, m.about_id
"""


async def shares_of_month(scope: Scope, month: date) -> list[Share]:
    """The service of a month by activity, station and area, the most first; for administrators and auditors."""
    scope.require_reader()
    async with transaction(scope):
        return await database.rows(Share, _SHARES, scope.community_id, month)
