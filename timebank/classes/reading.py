"""Read bookings with the caller's visibility: their children's, those at the stations they keep, or all."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.access.pickup import find_pickup
from timebank.classes.class_time.refunds import list_unused_minutes
from timebank.classes.schemas import BookingOut, BookingStatus, Unused
from timebank.classes.seats import NOUN
from timebank.core import clock, database, names
from timebank.core.capability import Reading
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.people.guardianship.care import family_ids, is_in_care
from timebank.people.guardianship.guardians import children_of
from timebank.people.reads import note_children
from timebank.people.residents import require_resident
from timebank.presence.at_counter import require_presence


class BookingElsewhere(TimebankError):
    code = "booking_elsewhere"
    status = 422
    sentence = "这个到课码是{station}那边的课。"


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    lesson_id: UUID
    course_id: UUID
    course: str
    station_id: UUID
    station: str
    child_id: UUID
    child: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    status: BookingStatus
    code: str | None
    place: int | None
    created_at: datetime
    moved_at: datetime | None
    reason: str | None
    own: bool


# $2: the caller's own resident records; $3: today.
_ROWS = (
    "SELECT b.id, b.lesson_id, l.course_id, c.title AS course, c.station_id, t.name AS station, b.child_id, "  # noqa: S608  # no input
    "p.name AS child, l.starts_at, l.ends_at, l.minutes, b.status, k.code, b.created_at, "
    "CASE WHEN l.moved_at > b.created_at THEN l.moved_at END AS moved_at, b.booked_because AS reason, "
    "CASE WHEN b.status = 'waiting' THEN (SELECT count(*) FROM booking w WHERE w.community_id = b.community_id "
    "AND w.lesson_id = b.lesson_id AND w.status = 'waiting' AND (w.created_at, w.id) <= (b.created_at, b.id)) END "
    "AS place, mine.own FROM booking b JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id "
    "JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id "
    "JOIN station t ON t.community_id = c.community_id AND t.id = c.station_id "
    "JOIN person p ON p.community_id = b.community_id AND p.id = b.child_id "
    "LEFT JOIN pickup k ON k.community_id = b.community_id AND k.noun = 'booking' AND k.noun_id = b.id "
    "CROSS JOIN LATERAL (SELECT b.child_id = ANY ($2::text[]::uuid[]) OR "
    f"{is_in_care('b.community_id', 'b.child_id', '$2::text[]::uuid[]', '$3')} AS own) AS mine "
    "WHERE b.community_id = $1"
)


# Only a family's bookings: of the caller's own records and of the children in the caller's care now. For each person
# at most one page of the newest bookings is read by index, then these are merged.
_OF_FAMILY = (
    f" AND b.id = ANY (ARRAY(SELECT newest.id FROM ({family_ids('$1', '$2::text[]::uuid[]', '$3')}) AS child "  # noqa: S608  # no input
    "CROSS JOIN LATERAL ("
    "SELECT f.id FROM booking f WHERE f.community_id = $1 AND f.child_id = child.id{chosen} "
    "ORDER BY f.created_at DESC, f.id DESC LIMIT {limit}) AS newest))"
)


def _in_words(scope: Scope, row: _Row, *, named: bool = False) -> BookingOut:
    known = row.own or named or scope.reads_all  # a keeper reads only names proved by a code or scan
    return BookingOut(
        id=row.id, lesson_id=row.lesson_id, course_id=row.course_id, course=row.course, station_id=row.station_id,
        station=row.station,
        child_id=row.child_id if known else None, child=row.child if known else names.masked(row.child),
        starts_at=row.starts_at, ends_at=row.ends_at,
        minutes=row.minutes, status=row.status, code=row.code if row.own else None, place=row.place,
        created_at=row.created_at,
        moved_at=row.moved_at, reason=row.reason,
    )  # fmt: skip


def _whose(scope: Scope) -> tuple[UUID, list[str], date]:
    """The values of $1 to $3 in `_ROWS`."""
    return scope.community_id, database.as_texts(scope.stood_for), clock.local_day()


async def bookings(
    scope: Scope, *, child_id: UUID | None = None, lesson_id: UUID | None = None, status: BookingStatus | None = None,
    own: bool = False, limit: int = 50, cursor: str | None = None,
) -> Page[BookingOut]:  # fmt: skip
    """The bookings that the caller may see, newest first. `own` leaves only the caller's and their children's."""
    is_family = own or not (scope.reads_all or scope.kept_stations)
    asked, row = Filters(*_whose(scope)), "f" if is_family else "b"
    if not (is_family or scope.reads_all):
        asked.add("(mine.own OR c.station_id = ANY ({}::text[]::uuid[]))", database.as_texts(scope.kept_stations))
    asked.add_given(f"{row}.child_id = {{}}", child_id)
    asked.add_given(f"{row}.lesson_id = {{}}", lesson_id)
    asked.add_given(f"{row}.status = {{}}", status)
    asked.add_after(f"{row}.created_at, {row}.id", "<", read_cursor(cursor, tuple[datetime, UUID]))
    which = _OF_FAMILY.format(chosen=asked.sql, limit=most(limit + 1)) if is_family else asked.sql
    newest = f"{_ROWS}{which} ORDER BY b.created_at DESC, b.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(_Row, newest, *asked.values)
    return make_page([_in_words(scope, row) for row in found], limit, lambda b: (b.created_at, b.id))


@retried
async def bookings_of_all(
    scope: Scope, *, child_id: UUID | None = None, lesson_id: UUID | None = None, status: BookingStatus | None = None,
    own: bool = False, limit: int = 50, cursor: str | None = None,
) -> Page[BookingOut]:  # fmt: skip
    """`bookings`, with a note in the log of reads when the caller reads the full names of other people's children."""
    async with transaction(scope):
        found = await bookings(
            scope, child_id=child_id, lesson_id=lesson_id, status=status, own=own, limit=limit, cursor=cursor
        )
        if scope.reads_all and not own:
            await note_children(scope, "bookings", [b.child_id for b in found.items if b.child_id])
    return found


# The bookings of a child, or those that a guardian made: $4. Of each the newest page is read by index.
_OF_RESIDENT = (
    " AND b.id = ANY (ARRAY(SELECT f.id FROM booking f WHERE f.community_id = $1 AND f.child_id = $4{after} "
    "ORDER BY f.created_at DESC, f.id DESC LIMIT {limit}) || ARRAY(SELECT f.id FROM booking f "
    "WHERE f.community_id = $1 AND f.guardian_id = $4{after} ORDER BY f.created_at DESC, f.id DESC LIMIT {limit}))"
)


@retried
async def bookings_of_resident(scope: Scope, person_id: UUID, reading: Reading) -> Page[BookingOut]:
    """The bookings of one child, or those that one guardian made, newest first, for administrators and auditors."""
    scope.require_reader()
    asked = Filters(*_whose(scope), person_id)
    asked.add_after("f.created_at, f.id", "<", read_cursor(reading.cursor, tuple[datetime, UUID]))
    which = _OF_RESIDENT.format(after=asked.sql, limit=most(21))
    newest = f"{_ROWS}{which} ORDER BY b.created_at DESC, b.id DESC LIMIT {most(21)}"
    async with transaction(scope):
        found = await database.rows(_Row, newest, *asked.values)
        await note_children(scope, "bookings", [row.child_id for row in found if not row.own])
    return make_page([_in_words(scope, row) for row in found], 20, lambda b: (b.created_at, b.id))


@retried
async def booking(scope: Scope, booking_id: UUID) -> BookingOut:
    """One booking that the caller may see. A read of the child's full name by staff is logged. Raises NotFound."""
    async with transaction(scope):
        found = await database.row(_Row, _ROWS + " AND b.id = $4", *_whose(scope), booking_id)
        if found is None or not scope.reads_at(found.station_id, own=found.own):
            raise NotFound
        if scope.reads_all and not found.own:
            await note_children(scope, "bookings", [found.child_id])
    return _in_words(scope, found)


async def own_booking(scope: Scope, booking_id: UUID) -> BookingOut | None:
    """A booking of the caller or a child in their care; None for any other."""
    async with transaction(scope):
        found = await database.row(_Row, _ROWS + " AND mine.own AND b.id = $4", *_whose(scope), booking_id)
    return _in_words(scope, found) if found else None


async def booking_by_code(scope: Scope, code: str) -> BookingOut | None:
    """The booking with this attendance code, with the child's full name; None when no open booking has it.

    Only for keepers and administrators. Wrong codes are counted. Raises Forbidden, BookingElsewhere.
    """
    found = await find_pickup(scope, code)
    if found is None or found.noun != NOUN:
        return None
    async with transaction(scope):
        row = await database.row(_Row, _ROWS + " AND b.id = $4 AND b.status = 'held'", *_whose(scope), found.noun_id)
    if row is not None and not scope.keeps(row.station_id):
        raise BookingElsewhere(station=row.station)
    return _in_words(scope, row, named=True) if row else None


@retried
async def coming(
    scope: Scope, person_id: UUID, station_id: UUID, presence: str | None, since: datetime, until: datetime
) -> list[BookingOut]:  # fmt: skip
    """Booked seats at a station between two moments, of the person at its counter and of the children in their care.

    `presence`: the nonce of the person's scan at this station, which proves that they are there. Attendance codes are
    not returned to the keeper. Raises PresenceNeeded.
    """
    scope.require_keeper(station_id)
    async with transaction(scope):
        await require_presence(scope, [person_id], station_id, presence, spends=False)
        found = await database.rows(
            _Row,
            _ROWS + " AND c.station_id = $4 AND b.status = 'held' AND l.ends_at > $6 AND l.starts_at < $7 "
            f"AND (b.child_id = $5 OR {is_in_care('b.community_id', 'b.child_id', 'ARRAY[$5::uuid]', '$3')}) "
            "ORDER BY l.starts_at, b.id",
            *_whose(scope), station_id, person_id, since, until,
        )  # fmt: skip
        await note_children(scope, "counter", [row.child_id for row in found if not row.own])
    return [_in_words(scope, row, named=True) for row in found]


async def unused_of(scope: Scope, child_id: UUID) -> list[Unused]:
    """A child's unused minutes per course, for its guardians and for administrators and auditors. Raises NotFound."""
    if not scope.reads_all:
        children = await children_of(scope)
        if not any(c.person_id == child_id and c.consented for c in children):
            raise NotFound
    async with transaction(scope):
        await require_resident(scope, child_id)
        return await list_unused_minutes(scope, child_id=child_id)
