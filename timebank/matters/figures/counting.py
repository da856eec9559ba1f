"""Count matters by the local day on which they were received. The worker does this; no verb adds to a count."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope

SETTLES_WITHIN = timedelta(minutes=10)
"""A step may be committed this much after its id was made, and its id then lies before one that was counted already."""
DAYS_AT_ONCE = 400

MEASURES = (
    "received", "counted", "done0", "done1", "done2", "finished", "reopened", "returned", "asked", "answered", "solved",
)  # fmt: skip
_COLUMNS = ("community_id", "day", "subject_kind", "subject", *MEASURES)
_COLUMNS_OF_WEEK = ("community_id", "week", "subject_kind", "subject", *MEASURES)
_COUNT_WEEKS = f"""
SELECT t.community_id, w.week, t.subject_kind, t.subject, {", ".join(f"sum(t.{each})::integer" for each in MEASURES)}
FROM unnest($2::date[]) AS w (week)
JOIN matter_tally t ON t.community_id = $1 AND t.day BETWEEN w.week AND w.week + 6
GROUP BY t.community_id, w.week, t.subject_kind, t.subject
"""  # noqa: S608  # constants of the program
_COUNT = """
WITH of_day AS (
    SELECT d.day, m.area_id, m.unit_id, m.category_code, m.status, m.done_days, m.reopens, m.returns,
           m.status NOT IN ('refused', 'merged', 'withdrawn') AS counts,
           m.status IN ('done', 'closed') AS finished,
           m.reporter_id IS NOT NULL OR m.for_person_id IS NOT NULL AS has_resident, r.solved
    FROM unnest($2::date[], $3::timestamptz[], $4::timestamptz[]) AS d (day, begins, ends)
    JOIN matter m ON m.community_id = $1 AND m.received_at >= d.begins AND m.received_at < d.ends AND m.kind <> 'wish'
    LEFT JOIN rating r ON r.community_id = $1 AND r.matter_id = m.id AND r.reopening = m.reopens
        AND r.by_kind = 'resident'
), of_subject AS (
    SELECT o.*, s.kind AS subject_kind, s.subject FROM of_day o
    LEFT JOIN area a ON a.community_id = $1 AND a.id = o.area_id,
    LATERAL (VALUES ('all', ''), ('grid', a.path[1]::text), ('unit', o.unit_id::text), ('category', o.category_code))
        AS s (kind, subject)
    WHERE s.subject IS NOT NULL
)
SELECT $1::uuid, day, subject_kind, subject, count(*), count(*) FILTER (WHERE counts),
       count(*) FILTER (WHERE finished AND done_days <= 0), count(*) FILTER (WHERE finished AND done_days <= 1),
       count(*) FILTER (WHERE finished AND done_days <= 2), count(*) FILTER (WHERE finished),
       count(*) FILTER (WHERE counts AND reopens > 0), count(*) FILTER (WHERE counts AND returns > 0),
       count(*) FILTER (WHERE finished AND has_resident),
       count(*) FILTER (WHERE finished AND has_resident AND solved IS NOT NULL),
       count(*) FILTER (WHERE finished AND has_resident AND solved)
FROM of_subject GROUP BY day, subject_kind, subject
"""


class _Changed(msgspec.Struct, frozen=True):
    id: UUID
    received_at: datetime


@retried
async def count_matters(scope: Scope) -> int:
    """Count the days anew whose matters have changed since the last count; return how many days that were.

    Of two workers at once one waits for the other. A wish has no term, so it is not counted.
    """
    async with transaction(scope):
        counted_to = await _lock(scope)
        changed = await database.rows(
            _Changed,
            "SELECT s.id, m.received_at FROM matter_step s JOIN matter m ON m.community_id = $1 AND m.id = s.matter_id "
            "WHERE s.community_id = $1 AND s.id > $2 ORDER BY s.id LIMIT 20000",
            scope.community_id, counted_to,
        )  # fmt: skip
        days = sorted({clock.local_day(each.received_at) for each in changed})
        for first in range(0, len(days), DAYS_AT_ONCE):
            await count_days(scope, days[first : first + DAYS_AT_ONCE])
        if changed:
            settled = min(changed[-1].id, _first_id_at(clock.now() - SETTLES_WITHIN))
            await database.execute(
                "UPDATE matter_counted SET step_id = greatest(step_id, $2), counted_at = $3 WHERE community_id = $1",
                scope.community_id, settled, clock.now(),
            )  # fmt: skip
    return len(days)


@retried
async def recount_days(scope: Scope, days: Collection[date]) -> None:
    """Count these local days anew at once, such as those of an old book; the worker waits meanwhile."""
    ordered = sorted(days)
    async with transaction(scope):
        await _lock(scope)
        for first in range(0, len(ordered), DAYS_AT_ONCE):
            await count_days(scope, ordered[first : first + DAYS_AT_ONCE])


async def _lock(scope: Scope) -> UUID:
    """Lock the community's row; return the last step up to which nothing is to be counted any more."""
    await database.execute(
        "INSERT INTO matter_counted (community_id, step_id, counted_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (community_id) DO NOTHING",
        scope.community_id, UUID(int=0), clock.now(),
    )  # fmt: skip
    found: UUID = await database.fetch_value(
        "SELECT step_id FROM matter_counted WHERE community_id = $1 FOR UPDATE", scope.community_id
    )
    return UUID(bytes=found.bytes)


def _first_id_at(moment: datetime) -> UUID:
    """The smallest id that a row made at this moment can have; see `clock.new_id`."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


async def count_days(scope: Scope, days: Collection[date]) -> None:
    """Count these local days anew, and then the weeks that they are in, in the open transaction."""
    bounds = [clock.day_bounds(day) for day in days]
    await database.execute(
        "DELETE FROM matter_tally WHERE community_id = $1 AND day = ANY ($2::date[])", scope.community_id, list(days)
    )
    counted = await database.fetch_unlimited(
        _COUNT, scope.community_id, list(days), [begin for begin, _end in bounds], [end for _begin, end in bounds]
    )
    await database.insert_many("matter_tally", _COLUMNS, [tuple(row.values()) for row in counted])
    weeks = sorted({monday_of(day) for day in days})
    await database.execute(
        "DELETE FROM matter_tally_week WHERE community_id = $1 AND week = ANY ($2::date[])", scope.community_id, weeks
    )
    counted = await database.fetch_unlimited(_COUNT_WEEKS, scope.community_id, weeks)
    await database.insert_many("matter_tally_week", _COLUMNS_OF_WEEK, [tuple(row.values()) for row in counted])


def monday_of(day: date) -> date:
    """The first day of the week that the day is in."""
    return day - timedelta(days=day.weekday())
