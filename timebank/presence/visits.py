"""Visits as rows, and reading those that the caller may see."""

from datetime import datetime, time, timedelta
from uuid import UUID

import msgspec

from timebank.core import clock, database, names
from timebank.core.database import transaction
from timebank.core.errors import NotFound
from timebank.core.opening import Opening, day_began, opening_at
from timebank.core.scope import Scope
from timebank.presence.tables import Visit
from timebank.stations.stations import station_row

LONGEST = timedelta(days=1)  # an open visit began at most this long before the present day


class VisitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A visit with the facts that check-out needs, including the opening hours that apply to it.

    `marks` are the hashes of the browsers that scanned it, as the database writes them as text. One of `paid` duty is
    attendance only.
    """

    id: UUID
    person_id: UUID
    station_id: UUID
    station: str
    activity_id: UUID | None
    activity: str | None
    shift_id: UUID | None
    in_at: datetime
    out_at: datetime | None
    status: str
    in_by: str
    out_by: str | None
    marks: list[str]
    flags: list[str]
    opens_at: time
    closes_at: time
    paid: bool = False

    @property
    def opening(self) -> Opening:
        """The opening of the station in which the visit began."""
        return opening_at(self.opens_at, self.closes_at, self.in_at)

    @property
    def closing(self) -> datetime:
        """The latest end of the visit: closing time; where the station never closes, the end of the longest visit."""
        return self.opening.closing(self.in_at)


_ROW = (
    "SELECT v.id, v.person_id, v.station_id, s.name AS station, v.activity_id, a.name AS activity, v.shift_id, "
    "v.in_at, v.out_at, v.status, v.in_by, v.out_by, v.marks::text[] AS marks, v.flags, "
    "v.opens_at, v.closes_at, v.paid{more} FROM visit v "
    "JOIN station s ON s.community_id = v.community_id AND s.id = v.station_id "
    "LEFT JOIN activity a ON a.community_id = v.community_id AND a.id = v.activity_id "
)
ROW = _ROW.format(more="")
_ENDS = _ROW.format(more=", v.in_by_login, v.out_by_login, v.in_received_at, v.out_received_at")


class VisitEnds(VisitRow, frozen=True, kw_only=True):
    """A visit with who did each of its ends, and when the server did it."""

    in_by_login: UUID | None
    out_by_login: UUID | None
    in_received_at: datetime | None
    out_received_at: datetime | None


async def locked_visit(scope: Scope, visit_id: UUID) -> VisitEnds | None:
    """Lock a visit's row. The caller has locked its person's."""
    return await database.row(
        VisitEnds,
        _ENDS + "WHERE v.community_id = $1 AND v.id = $2 FOR NO KEY UPDATE OF v",
        scope.community_id,
        visit_id,
    )


async def visit_row(scope: Scope, visit_id: UUID) -> VisitRow | None:
    return await database.row(VisitRow, ROW + "WHERE v.community_id = $1 AND v.id = $2", scope.community_id, visit_id)


async def last_station(scope: Scope, person_id: UUID) -> UUID | None:
    """The station that a person visited last."""
    async with transaction(scope):
        found: UUID | None = await database.fetch_value(
            "SELECT station_id FROM visit WHERE community_id = $1 AND person_id = $2 ORDER BY in_at DESC LIMIT 1",
            scope.community_id, person_id,
        )  # fmt: skip
    return found


async def close_confirmed(scope: Scope, visit_id: UUID) -> None:
    """Close a visit whose forgotten check-out somebody has confirmed."""
    await database.execute(
        "UPDATE visit SET status = 'closed' WHERE community_id = $1 AND id = $2 AND status = 'needs_confirmation'",
        scope.community_id, visit_id,
    )  # fmt: skip


async def set_corrected_end(scope: Scope, visit: VisitRow, ended_at: datetime) -> VisitRow:
    """Set the end that an administrator has corrected, and flag the visit; return the visit with its new end."""
    flags = list(dict.fromkeys([*visit.flags, "corrected_end"]))
    await Visit.update({Visit.out_at: ended_at, Visit.out_by: "corrected", Visit.flags: flags}).where(
        (Visit.community_id == scope.community_id) & (Visit.id == visit.id)
    )
    ended = await visit_row(scope, visit.id)
    assert ended is not None
    return ended


async def keep_longer_hours(scope: Scope, station_id: UUID) -> None:
    """Apply a station's new opening hours to its open visits, where these then end later.

    Shorter hours apply from the next visit on. A visit that has ended keeps the hours by which it was judged.
    """
    station = await station_row(scope, station_id)
    assert station is not None
    still_in = await database.rows(
        VisitRow,
        ROW + "WHERE v.community_id = $1 AND v.station_id = $2 AND v.status = 'open' AND v.in_at > $3 "
        "ORDER BY v.id FOR NO KEY UPDATE OF v",
        scope.community_id, station_id, clock.now() - LONGEST,
    )  # fmt: skip
    longer = [visit.id for visit in still_in if _ends_later(station.opening(visit.in_at), visit)]
    await database.execute(
        "UPDATE visit SET opens_at = $3, closes_at = $4 WHERE community_id = $1 AND id = ANY ($2)",
        scope.community_id, longer, station.opens_at, station.closes_at,
    )  # fmt: skip


def _ends_later(hours: Opening, visit: VisitRow) -> bool:
    return hours.begin <= visit.in_at and hours.closing(visit.in_at) > visit.closing


class Recent(msgspec.Struct, frozen=True):
    """A person who has just come or gone, with masked name and local time."""

    visit_id: UUID
    name: str
    at: str
    direction: str
    in_at: datetime


class Today(msgspec.Struct, frozen=True):
    """How many are at a station now, how many people came today, and who came or left last."""

    present: int
    people: int
    recent: list[Recent]


async def today_at(scope: Scope, station_id: UUID, *, most: int = 5) -> Today:
    """Today's visits for the display and the counter of a station; an evening open past midnight is one day."""
    if not (scope.keeps(station_id) or scope.device_station_id == station_id):
        raise NotFound
    async with transaction(scope):
        station = await station_row(scope, station_id)
        if station is None:
            raise NotFound
        begin = day_began(station.opens_at, station.closes_at, clock.now())
        async with database.gathering() as reads:
            counting = reads.start(_counted(scope, station_id, begin))
            newest = reads.start(_newest(scope, station_id, begin, most))
    counted, last = counting.result(), newest.result()
    assert counted is not None
    recent = [
        Recent(
            row.id, names.masked(row.name), f"{clock.local(row.last_at):%H:%M}", "out" if row.out_at else "in",
            row.in_at,
        )
        for row in last
    ]  # fmt: skip
    return Today(counted.present, counted.people, recent)


class StillIn(msgspec.Struct, frozen=True):
    """A person who is at a station now, with masked name, since when and for what."""

    name: str
    in_at: datetime
    activity: str | None


async def still_in(scope: Scope, station_id: UUID, *, most: int = 50) -> list[StillIn]:
    """Who is at a station now, the longest first. For its keepers."""
    scope.require_keeper(station_id)
    async with transaction(scope):
        found = await database.rows(
            StillIn,
            "SELECT p.name, v.in_at, a.name AS activity FROM visit v "
            "JOIN person p ON p.community_id = v.community_id AND p.id = v.person_id "
            "LEFT JOIN activity a ON a.community_id = v.community_id AND a.id = v.activity_id "
            "WHERE v.community_id = $1 AND v.station_id = $2 AND v.status = 'open' AND v.in_at > $3 "
            "ORDER BY v.in_at, v.id LIMIT $4",
            scope.community_id, station_id, clock.now() - LONGEST - LONGEST, most,
        )  # fmt: skip
    return [msgspec.structs.replace(each, name=names.masked(each.name)) for each in found]


class _Counted(msgspec.Struct, frozen=True):
    present: int
    people: int


class _Newest(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    in_at: datetime
    out_at: datetime | None
    last_at: datetime


async def _counted(scope: Scope, station_id: UUID, begin: datetime) -> _Counted | None:
    return await database.row(
        _Counted,
        "SELECT count(*) FILTER (WHERE status = 'open') AS present, "
        "count(DISTINCT person_id) FILTER (WHERE in_at >= $3) AS people FROM visit "
        "WHERE community_id = $1 AND station_id = $2 AND in_at >= $4 AND status <> 'void'",
        scope.community_id, station_id, begin, begin - LONGEST,
    )  # fmt: skip


async def _newest(scope: Scope, station_id: UUID, begin: datetime, most: int) -> list[_Newest]:
    return await database.rows(
        _Newest,
        "SELECT v.id, p.name, v.in_at, v.out_at, coalesce(v.out_at, v.in_at) AS last_at FROM visit v "
        "JOIN person p ON p.community_id = v.community_id AND p.id = v.person_id "
        "WHERE v.community_id = $1 AND v.station_id = $2 AND v.in_at >= $4 AND v.status <> 'void' "
        "AND coalesce(v.out_at, v.in_at) >= $3 ORDER BY last_at DESC, v.id DESC LIMIT $5",
        scope.community_id, station_id, begin, begin - LONGEST, most,
    )  # fmt: skip
