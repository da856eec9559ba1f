"""The seats of a lesson: take and free them, and fill free ones from the waiting list."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.access.pickup import end_pickup, give_pickup, pickup_row
from timebank.activities.seats import seat_taken, take_seat
from timebank.classes.courses import LESSONS
from timebank.classes.families import notify_family
from timebank.classes.schemas import BookingStatus, LessonOut
from timebank.classes.tables import Lesson
from timebank.core import audit, clock, database
from timebank.core.database import RanIntoAnother, Write, retried, transaction
from timebank.core.errors import NotFound
from timebank.core.scope import Scope
from timebank.core.wording import Phrase, phrase
from timebank.ledger import posting
from timebank.ledger.posting import Currency, Posted, Posting, Returned
from timebank.ledger.refusals import AccountClosed, InsufficientClassMinutes
from timebank.people.guardianship.guardians import is_guardian
from timebank.people.locks import lock_people, require_locked
from timebank.people.messages import is_soon
from timebank.policies.values import policies

NOUN = "booking"


class BookingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A booking with its child, lesson, course and station."""

    id: UUID
    lesson_id: UUID
    child_id: UUID
    guardian_id: UUID
    child: str
    status: BookingStatus
    code: str | None
    entry_id: UUID | None
    course_id: UUID
    course: str
    station_id: UUID
    station: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    moved_at: datetime | None
    acted_by: UUID | None
    acted_by_login: UUID | None


HELD = (
    "SELECT b.id, b.lesson_id, b.child_id, b.guardian_id, p.name AS child, b.status, "
    "k.code, b.entry_id, l.course_id, c.title AS course, c.station_id, t.name AS station, l.starts_at, l.ends_at, "
    "l.minutes, CASE WHEN l.moved_at > b.created_at THEN l.moved_at END AS moved_at, "
    "b.booked_by AS acted_by, b.booked_by_login AS acted_by_login "
    "FROM booking b JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id "
    "JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id "
    "JOIN station t ON t.community_id = c.community_id AND t.id = c.station_id "
    "JOIN person p ON p.community_id = b.community_id AND p.id = b.child_id "
    "LEFT JOIN pickup k ON k.community_id = $1 AND k.noun = 'booking' AND k.noun_id = b.id "
    "WHERE b.community_id = $1 AND "
)


async def lock_waiting_children(scope: Scope, lesson_id: UUID, *children: UUID, seated: bool = False) -> None:
    """Lock the rows of `children` and of those who wait for the lesson, with `seated` also of those who have a seat.

    Call it before `locked_lesson`: people are locked before lessons, which avoids deadlocks.
    """
    waiting = await _waiting_children(scope, lesson_id, seated=seated)
    locked = {*children, *waiting.values()}
    await lock_people(scope, locked)
    now = await _waiting_children(scope, lesson_id, seated=seated) if waiting else {}
    for booking_id in waiting.keys() & now.keys():
        require_locked(now[booking_id], locked)


async def _waiting_children(scope: Scope, lesson_id: UUID, *, seated: bool) -> dict[UUID, UUID]:
    """The child of each booking that waits, by the booking's id."""
    waiting = await database.fetch(
        "SELECT id, child_id FROM booking WHERE community_id = $1 AND lesson_id = $2 "
        "AND (status = 'waiting' OR $3 AND status = 'held')",
        scope.community_id, lesson_id, seated,
    )  # fmt: skip
    return {UUID(bytes=row["id"].bytes): UUID(bytes=row["child_id"].bytes) for row in waiting}


async def locked_lesson(scope: Scope, lesson_id: UUID) -> LessonOut:
    """Lock a lesson's row until the transaction ends, and return the lesson. Raises NotFound."""
    await database.execute(
        "SELECT FROM lesson WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE", scope.community_id, lesson_id
    )
    found = await database.row(LessonOut, LESSONS + " AND l.id = $2", scope.community_id, lesson_id)
    if found is None:
        raise NotFound
    return found


class Holder(msgspec.Struct, frozen=True):
    """The child of a booking, under the row lock."""

    child_id: UUID


async def lock_child(scope: Scope, booking_id: UUID) -> Holder:
    """Lock the row of a booking's child; pass it to `require_locked` once the booking is locked. Raises NotFound."""
    found = await database.row(
        Holder,
        "SELECT p.id AS child_id FROM booking b JOIN person p ON p.community_id = $1 AND p.id = b.child_id "
        "WHERE b.community_id = $1 AND b.id = $2 FOR NO KEY UPDATE OF p",
        scope.community_id, booking_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def locked_booking(scope: Scope, booking_id: UUID) -> BookingRow:
    """Lock the rows of a booking and its child, and return the booking if the caller may see it. Raises NotFound."""
    child_id = (await visible_booking(scope, booking_id)).child_id
    await lock_people(scope, [child_id])
    found = await visible_booking(scope, booking_id, " FOR NO KEY UPDATE OF b")
    require_locked(found.child_id, [child_id])
    return found


async def visible_booking(scope: Scope, booking_id: UUID, lock: str = "") -> BookingRow:
    """A booking that the caller may see. `lock`: an SQL locking clause, or nothing. Raises NotFound."""
    found = await database.row(BookingRow, f"{HELD} b.id = $2{lock}", scope.community_id, booking_id)
    if found is None or not (
        scope.reads_at(found.station_id, own=False) or (scope.device_id is None and await cares_for(scope, found))
    ):
        raise NotFound
    return found


async def cares_for(scope: Scope, booking: BookingRow) -> bool:
    """Whether the booked child is the caller or is in the caller's care now, whoever booked."""
    return scope.is_own(booking.child_id) or await is_guardian(scope, booking.child_id)


async def fill_seats(scope: Scope) -> int:
    """Worker job: give free seats of coming lessons to waiting children who have the minutes; returns how many."""
    async with transaction(scope):
        found = await database.fetch(
            "SELECT DISTINCT l.id FROM lesson l JOIN booking b ON b.community_id = l.community_id "
            "AND b.lesson_id = l.id WHERE l.community_id = $1 AND l.starts_at > $2 "
            "AND l.cancelled_at IS NULL AND l.seats_taken < l.seats "
            "AND b.status = 'waiting' ORDER BY l.id",
            scope.community_id, clock.now(),
        )  # fmt: skip
    return sum([await _fill_alone(scope, record["id"]) for record in found])


@retried
async def _fill_alone(scope: Scope, lesson_id: UUID) -> int:
    async with transaction(scope):
        await lock_waiting_children(scope, lesson_id)
        return await fill(scope, lesson_id)


async def fill(scope: Scope, lesson_id: UUID) -> int:
    """Give a lesson's free seats to waiting children, first come first served, and return how many.

    A child without enough minutes, or with a closed account, keeps waiting. After the cancellation deadline no seat is
    given, because the family could not cancel it any more; a free seat then goes to whoever books it. The calling
    function has called `lock_waiting_children`.
    """
    lesson = await locked_lesson(scope, lesson_id)
    given = 0
    if lesson.cancelled_at or not await is_cancellable(scope, lesson.starts_at):
        return 0
    waiting = await database.rows(
        BookingRow,
        HELD + "b.lesson_id = $2 AND b.status = 'waiting' ORDER BY b.created_at, b.id FOR NO KEY UPDATE OF b",
        scope.community_id, lesson_id,
    )  # fmt: skip
    system = Scope.of_system(scope.community_id, via=scope.via, request_id=scope.request_id)
    for booking in waiting:
        if given == lesson.seats_free:
            break
        try:
            await seat_child(system, lesson, booking.id, booking.child_id)
        except (InsufficientClassMinutes, AccountClosed):
            continue
        given += 1
        await audit.record(system, "seat", "booking", booking.id, about_id=booking.child_id)
        await notify_family(
            system, booking.child_id, "booking_seated", f"booking:{booking.id}:seated", booking.id,
            urgent=is_soon(booking.starts_at), course=booking.course, at=booking.starts_at, child=booking.child,
        )  # fmt: skip
    await database.flush()
    return given


async def is_cancellable(scope: Scope, starts_at: datetime, moved_at: datetime | None = None) -> bool:
    """Whether the family can still cancel a seat in a lesson that begins at `starts_at`.

    The deadline is the policy `cancel_class_hours` before the start, or the start itself if the lesson was rescheduled
    after the booking (`moved_at`).
    """
    if moved_at is not None:
        return clock.now() < starts_at
    return clock.now() <= starts_at - timedelta(hours=(await policies(scope)).cancel_class_hours)


async def seat_child(scope: Scope, lesson: LessonOut, booking_id: UUID, child_id: UUID) -> None:
    """Hold the minutes of a child that waits, and take the seat. Raises InsufficientClassMinutes."""
    held = await hold_minutes(scope, lesson, booking_id, child_id)
    if not await take_seat(scope, Lesson, lesson.id):
        raise RanIntoAnother
    await give_pickup(scope, NOUN, booking_id, lesson.station_id, lesson.ends_at)
    database.queue(seated(scope, booking_id, held.entry_id))


def seated(scope: Scope, booking_id: UUID, entry_id: UUID) -> Write:
    """A booking that waited has a seat."""
    return database.change(
        "UPDATE booking SET status = 'held', entry_id = $3 "
        "WHERE community_id = $1 AND id = $2 AND status = 'waiting'",
        scope.community_id, booking_id, entry_id,
    )  # fmt: skip


def rows_of_seat(scope: Scope, lesson: LessonOut, booking_id: UUID, code: str) -> list[Write]:
    """The seat and the attendance code of a booking."""
    return [
        seat_taken(scope, Lesson, lesson.id),
        pickup_row(scope, code, NOUN, booking_id, lesson.station_id, lesson.ends_at),
    ]


async def hold_minutes(
    scope: Scope, lesson: LessonOut, booking_id: UUID, child_id: UUID, *, again: UUID | None = None
) -> Posted:
    """Hold the minutes of a lesson; `again` is the note by which an attendance was undone.

    Raises InsufficientClassMinutes.
    """
    key = f"booking:{booking_id}:hold" + (f":{again}" if again else "")
    why = phrase("entry.lesson_booked", course=lesson.course, starts=lesson.starts_at, station=lesson.station)
    note = Posting(kind="hold", key=key, source_kind="booking", source_id=booking_id, memo=why)
    return await posting.hold(
        scope, child_id, lesson.minutes, note, currency=Currency.class_minute, subject_id=lesson.course_id
    )


async def cancel_held(scope: Scope, found: BookingRow, why: Phrase) -> Returned | None:
    """Cancel a locked booking and void its hold, if it has one; returns what the void returned.

    The calling function frees the seat.
    """
    returned = None
    if found.entry_id is not None:
        note = Posting(kind="void", key=f"booking:{found.id}:void", source_kind="booking", source_id=found.id, memo=why)
        returned = (await posting.void(scope, found.entry_id, note)).returned
    await end_booking(scope, found, "cancelled")
    return returned


async def end_booking(scope: Scope, found: BookingRow, status: BookingStatus) -> None:
    """Queue the final status of a locked booking, whose code ends with it."""
    database.queue(
        database.change(
            "UPDATE booking SET status = $3, ended_at = $4, ended_by = $5, ended_by_login = $7 "
            "WHERE community_id = $1 AND id = $2 AND status = $6",
            scope.community_id, found.id, status, clock.now(), scope.person_id, found.status, scope.login_id,
        )
    )  # fmt: skip
    if found.code is not None:
        end_pickup(scope, NOUN, found.id)
