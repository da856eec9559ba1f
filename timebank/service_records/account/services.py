"""Every visit and every entered hour of one person, newest first, as the panel shows them."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.core import clock, database
from timebank.core.capability import Figure, Reading
from timebank.core.database import Filters, most, transaction
from timebank.core.locale import _, translate
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import at_clock, duration
from timebank.policies.values import policies
from timebank.service_records.account.rows import (
    RECORD_COLUMNS,
    RECORD_JOIN,
    STAY_COLUMNS,
    STAY_JOIN,
    WhyFacts,
    no_points_out,
)
from timebank.service_records.schemas import WhyNoPoints

SHOWN = 20
_PLACE = (
    "a.name AS activity, s.name AS station, r.id AS record_id, r.status AS record_status, r.minutes, "
    "r.credited_minutes, r.credited_points, r.entry_id, coalesce(r.flags, '{}') AS flags, r.review_note, "
    "r.review_said::text AS review_said"
)
# Each half is read along its index, a page at most; then both are merged.
_VISITS = (
    f"SELECT v.in_at AS at, v.out_at AS until, v.id, v.id AS visit_id, v.in_at, v.out_at, v.status, {_PLACE}, "  # noqa: S608  # no input
    f"{STAY_COLUMNS}, {RECORD_COLUMNS} FROM visit v "
    "JOIN station s ON s.community_id = v.community_id AND s.id = v.station_id "
    "LEFT JOIN activity a ON a.community_id = v.community_id AND a.id = v.activity_id "
    f"LEFT JOIN service_record r ON r.community_id = v.community_id AND r.visit_id = v.id "
    f"AND r.status <> 'withdrawn' {RECORD_JOIN}{STAY_JOIN}"
    "WHERE v.community_id = $1 AND v.person_id = $2{after} ORDER BY v.in_at DESC, v.id DESC LIMIT {limit}"
)
_ENTERED = (
    "SELECT r.started_at AS at, r.ended_at AS until, r.id, NULL::uuid AS visit_id, NULL::timestamptz AS in_at, "  # noqa: S608  # no input
    f"NULL::timestamptz AS out_at, NULL::text AS status, {_PLACE}, NULL::time AS opens_at, NULL::time AS closes_at, "
    f"NULL::timestamptz AS shift_begin, NULL::timestamptz AS shift_end, NULL::boolean AS paid, "
    f"{RECORD_COLUMNS} FROM service_record r "
    "LEFT JOIN station s ON s.community_id = r.community_id AND s.id = r.station_id "
    f"LEFT JOIN activity a ON a.community_id = r.community_id AND a.id = r.activity_id {RECORD_JOIN}"
    "WHERE r.community_id = $1 AND r.person_id = $2 AND r.visit_id IS NULL{after} "
    "ORDER BY r.started_at DESC, r.id DESC LIMIT {limit}"
)


class _Row(WhyFacts, frozen=True, kw_only=True):
    at: datetime
    until: datetime | None
    id: UUID
    visit_id: UUID | None
    record_id: UUID | None
    activity: str | None
    station: str | None
    entry_id: UUID | None


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A visit or entered hours, what it earned, and why it earned nothing."""

    id: UUID
    at: datetime
    until: datetime | None
    what: str | None
    station: str | None
    entered: bool
    record_id: UUID | None
    entry_id: UUID | None
    status: str | None
    minutes: int | None
    points: int
    why: WhyNoPoints | None


async def services_of(scope: Scope, person_id: UUID, reading: Reading) -> Page[Service]:
    """A person's visits and entered hours, newest first, for administrators and auditors."""
    scope.require_reader()
    asked, begun = Filters(scope.community_id, person_id), read_cursor(reading.cursor, tuple[datetime, UUID])
    visits, entered = Filters(*asked.values), Filters(*asked.values)
    visits.add_after("v.in_at, v.id", "<", begun)
    entered.add_after("r.started_at, r.id", "<", begun)
    limit = most(SHOWN + 1)
    both = (
        f"SELECT * FROM (({_VISITS.replace('{after}', visits.sql).replace('{limit}', limit)}) UNION ALL "  # noqa: S608  # no input
        f"({_ENTERED.replace('{after}', entered.sql).replace('{limit}', limit)})) AS served "
        f"ORDER BY at DESC, id DESC LIMIT {limit}"
    )
    async with transaction(scope), database.gathering() as reads:
        rows = reads.start(database.rows(_Row, both, *visits.values))
        in_force = reads.start(policies(scope))
    least = in_force.result().visit_minutes_min
    return make_page(
        [_shown(row, least, reading.language) for row in rows.result()], SHOWN, lambda one: (one.at, one.id)
    )


def _shown(row: _Row, least: int, language: str) -> Service:
    return Service(
        id=row.id, at=row.at, until=row.until, what=row.activity, station=row.station, entered=row.visit_id is None,
        record_id=row.record_id, entry_id=row.entry_id, status=row.record_status or row.status,
        minutes=row.credited_minutes if row.credited_minutes is not None else row.minutes,
        points=row.credited_points or 0, why=no_points_out(row.why(least), language),
    )  # fmt: skip


class _Present(msgspec.Struct, frozen=True):
    station: str
    in_at: datetime


async def service_figures(scope: Scope, person_id: UUID, language: str) -> list[Figure]:
    """The hours that were credited this year, and the visit that is open."""
    first = date(clock.local_day().year, 1, 1)
    async with transaction(scope), database.gathering() as reads:
        year = reads.start(
            database.read_value(
                int,
                "SELECT coalesce(sum(credited_minutes), 0)::bigint FROM service_record WHERE community_id = $1 "
                "AND person_id = $2 AND started_at >= $3 AND status = 'approved' "
                "AND (counts_on IS NULL OR counts_on >= $4)",
                scope.community_id, person_id, clock.day_bounds(first)[0], first,
            )
        )  # fmt: skip
        present = reads.start(
            database.row(
                _Present,
                "SELECT s.name AS station, v.in_at FROM visit v JOIN station s ON s.community_id = v.community_id "
                "AND s.id = v.station_id WHERE v.community_id = $1 AND v.person_id = $2 AND v.status = 'open'",
                scope.community_id, person_id,
            )
        )  # fmt: skip
    here, hours = present.result(), duration(year.result(), language)
    where = translate(_("不在"), language)
    if here:
        since = at_clock(here.in_at, language)
        where = translate(_("{station}，{since} 起"), language).format(station=here.station, since=since)
    return [
        Figure(place=50, word=_("今年服务"), text=hours, part="services"),
        Figure(
            place=60, word=_("在站"), text=where, kind="good" if here else "", part="services"
        ),
    ]  # fmt: skip
