"""The communities of a street or county side by side, from what the worker has counted in each."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.areas.reach import communities_read
from timebank.core import clock, database
from timebank.core.database import transaction
from timebank.core.scope import Scope
from timebank.overview.months import months_back


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A community's figures of this month; None where the worker has not counted them yet.

    `minutes`, `people` and `points` are of the service of this month, `before` are the minutes of the month before it.
    `outstanding` are the points that people can spend, of which `expiring` expire by the end of the year.
    """

    id: UUID
    name: str
    counted_at: datetime | None = None
    minutes: int = 0
    before: int = 0
    people: int = 0
    points: int = 0
    outstanding: int | None = None
    expiring: int | None = None


_FIGURES = """
SELECT c.id, c.name, f.counted_at, coalesce(m.minutes, 0) AS minutes, coalesce(b.minutes, 0) AS before,
       coalesce(m.people, 0) AS people, coalesce(m.points, 0) AS points, f.expiring,
       CASE WHEN f.counted_at IS NOT NULL
            THEN (SELECT coalesce(sum(each), 0)::bigint FROM unnest(f.ahead_points) AS each) END AS outstanding
FROM region c
LEFT JOIN community_figures f ON f.community_id = c.id AND f.counted_at >= $4
LEFT JOIN month_service m ON m.community_id = f.community_id AND m.month = $2 AND m.kind = 'all'
LEFT JOIN month_service b ON b.community_id = f.community_id AND b.month = $3 AND b.kind = 'all'
WHERE c.id = ANY ($1::text[]::uuid[]) ORDER BY c.path
"""


async def communities_compared(scope: Scope) -> list[Compared]:
    """The communities in which the caller reads everything, each with its figures; for administrators and auditors.

    A count of another month is not this month's, and is left out.
    """
    month = clock.local_day().replace(day=1)
    begin, _end = clock.day_bounds(month)
    here = await communities_read(scope)
    async with transaction(scope, communities=here):
        return await database.rows(Compared, _FIGURES, database.as_texts(here), month, months_back(month, 1), begin)


def in_all(compared: Sequence[Compared]) -> dict[str, int]:
    """The sum of each figure. People are not summed: somebody may serve in two communities."""
    names = ("minutes", "before", "points", "outstanding", "expiring")
    return {name: sum(getattr(one, name) or 0 for one in compared) for name in names}
