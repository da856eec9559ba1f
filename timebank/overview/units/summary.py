"""What a unit's people did: reported in, served, credited minutes, across the communities that the reader reaches.

Service counts for the unit from which its person was reported in on that day. Whoever does not read a community itself
sees of it whole months only, and no figure of fewer than five people: neither in its row nor in a sum.
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from timebank.areas.reach import communities_read
from timebank.core import clock, database, settings
from timebank.core.database import transaction
from timebank.core.errors import Invalid, NotFound
from timebank.core.locale import _
from timebank.core.scope import READERS, Scope
from timebank.units.contacts import communities_of_contact, using_units
from timebank.units.schemas import CommunityShare, UnitSummary

FEW = 5
"""Fewer people than this are not shown outside the community."""
DAYS_MAX = 366


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A community's figures. `months`: people who served and their minutes in each month, in any order."""

    community_id: UUID
    community: str
    reported: int
    served: int
    months: list[tuple[int, int]]


def share_of(counted: Counted, *, inside: bool) -> CommunityShare:
    """What is shown of a community: everything inside it; outside, nothing that comes of fewer than five people.

    Minutes are the sum of the months in which five or more served, so that no two periods differ by the hours of fewer.
    """
    if inside:
        shown = [minutes for _people, minutes in counted.months]
    else:
        shown = [minutes for people, minutes in counted.months if people >= FEW]
    hidden = not shown and any(people for people, _minutes in counted.months)
    return CommunityShare(
        community_id=counted.community_id, community=counted.community,
        reported=counted.reported if inside or not 0 < counted.reported < FEW else "<5",
        served=counted.served if inside or not 0 < counted.served < FEW else "<5",
        minutes="<5" if hidden else sum(shown),
    )  # fmt: skip


def in_sum(shares: Sequence[CommunityShare], figure: str) -> int:
    """The sum of what the rows show of a figure."""
    return sum(number for share in shares if isinstance(number := getattr(share, figure), int))


def whole_months(first: date, last: date) -> tuple[date, date]:
    return first.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])


_COUNTED = """
WITH held AS (
    SELECT a.community_id, a.person_id, a.reported_on, a.ended_on
    FROM affiliation a JOIN person p ON p.community_id = a.community_id AND p.id = a.person_id
    WHERE a.unit_id = $2 AND a.community_id = ANY ($1::text[]::uuid[]) AND p.merged_into IS NULL
      AND a.reported_on <= $4 AND (a.ended_on IS NULL OR a.ended_on > greatest(a.reported_on, $3))
), service AS (
    SELECT h.community_id, h.person_id, date_trunc('month', s.started_at AT TIME ZONE $7)::date AS month,
           sum(s.credited_minutes) AS minutes
    FROM held h JOIN service_record s ON s.community_id = h.community_id AND s.person_id = h.person_id
     AND s.started_at >= $5 AND s.started_at < $6 AND s.status = 'approved' AND s.credited_minutes > 0
    WHERE (s.started_at AT TIME ZONE $7)::date >= h.reported_on
      AND (h.ended_on IS NULL OR (s.started_at AT TIME ZONE $7)::date < h.ended_on)
    GROUP BY 1, 2, 3
)
SELECT r.id AS community_id, r.name AS community,
       (SELECT count(DISTINCT h.person_id) FROM held h WHERE h.community_id = r.id) AS reported,
       (SELECT count(DISTINCT s.person_id) FROM service s WHERE s.community_id = r.id) AS served,
       m.people, m.minutes
FROM region r
LEFT JOIN LATERAL (
    SELECT s.month, count(*) AS people, sum(s.minutes)::bigint AS minutes FROM service s
    WHERE s.community_id = r.id GROUP BY s.month) AS m ON true
WHERE r.id = ANY ($1::text[]::uuid[]) ORDER BY r.path, m.month
"""


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    community_id: UUID
    community: str
    reported: int
    served: int
    people: int | None
    minutes: int | None


async def unit_summary(scope: Scope, unit_id: UUID, first: date | None, last: date | None) -> UnitSummary:
    """The unit's figures from the day `first` (the year's first) to `last` (today), at most 366 days.

    For the unit's contact in the communities that the grant reaches, and for whoever reads communities as a whole.
    Raises NotFound for anybody else.
    """
    today = clock.local_day()
    last = last or today
    first = first or last.replace(month=1, day=1)
    if first > last or (last - first).days >= DAYS_MAX:
        raise Invalid(why=_("从哪天到哪天：先后要对，最多一年"))
    read = await using_units(scope, await communities_read(scope)) if scope.reads_all else frozenset()
    here = read | await communities_of_contact(scope, unit_id)
    if not here:
        raise NotFound
    reading = {grant.community_id or grant.region_id for grant in scope.grants if grant.role in READERS}
    inside = here if scope.system else here & reading
    if inside != here:
        first, last = whole_months(first, last)
    async with transaction(scope, communities=here):
        name = await database.fetch_value("SELECT name FROM unit WHERE id = $1", unit_id)
        if name is None:
            raise NotFound
        found = await database.rows(
            _Row, _COUNTED, database.as_texts(here), unit_id, first, last, clock.day_bounds(first)[0],
            clock.day_bounds(last)[1], settings.current().time_zone.key,
        )  # fmt: skip
    shares = [share_of(one, inside=one.community_id in inside) for one in _by_community(found)]
    return UnitSummary(
        unit_id=unit_id, name=name, first=first, last=last, reported=in_sum(shares, "reported"),
        served=in_sum(shares, "served"), minutes=in_sum(shares, "minutes"), by_community=shares,
    )  # fmt: skip


def _by_community(found: Sequence[_Row]) -> list[Counted]:
    """One row for each community that has anybody of the unit."""
    months: dict[UUID, list[tuple[int, int]]] = {}
    for row in found:
        if row.people is not None and row.minutes is not None:
            months.setdefault(row.community_id, []).append((row.people, row.minutes))
    one_each = {row.community_id: row for row in found}
    return [
        Counted(
            community_id=row.community_id, community=row.community, reported=row.reported, served=row.served,
            months=months.get(row.community_id, []),
        )
        for row in one_each.values() if row.reported
    ]  # fmt: skip
