"""A booking of a seat: its facts, and what is decided about them."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from timebank.access import pickup
from timebank.classes.class_time.purchase import check_age
from timebank.classes.courses import COURSES, LESSON_TERMS, LESSONS
from timebank.classes.schemas import BookingIn, BookingStatus, CourseOut, LessonOut
from timebank.core import clock, database
from timebank.core.database import many, one, read, value
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.people.guardianship.care import is_in_care
from timebank.people.guardianship.guardians import NotGuardian
from timebank.people.locks import require_locked


class AlreadyBooked(TimebankError):
    code = "already_booked"
    status = 409
    sentence = "孩子已经约了这节课，或已在候补。"
    constraint = "booking_one_active"


class LessonClosed(TimebankError):
    code = "lesson_closed"
    sentence = "这节课已经开始或取消了，不能再约。请约别的一节。"


class Known(msgspec.Struct, frozen=True):
    """The child's booking of the lesson that has not ended, with its attendance code if it has a seat."""

    id: UUID
    status: BookingStatus
    code: str | None = None


class Waiter(msgspec.Struct, frozen=True):
    id: UUID
    child_id: UUID


class BookingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is true under the locks of the child, of those who wait, and of the lesson.

    `cares`: the caller's consent for the child is in force; `unseen`: the lesson's terms wait for a second person.
    """

    cares: bool
    lesson: LessonOut | None
    course: CourseOut | None
    born_on: date | None
    known: Known | None
    waiting: list[Waiter]
    unseen: bool
    codes: list[str]


class Seating(msgspec.Struct, frozen=True):
    """What is done: seat the child, first fill free seats from the waiting list, or let the child wait.

    `seated`: nothing more, because filling has just given the child a seat. `code` is the attendance code of a seat.
    """

    step: Literal["seat", "fill", "seated", "wait"]
    code: str | None = None


async def booking_facts(scope: Scope, wanted: BookingIn, guardian_id: UUID) -> BookingFacts:
    """Lock the rows and read the facts, by two statements. Raises NotFound for a lesson that does not exist."""
    community_id, today = scope.community_id, clock.local_day()
    locked = await database.fetch_value(
        "SELECT booking_lock($1, $2, $3)::text", community_id, wanted.lesson_id, wanted.child_id
    )
    facts = await read(
        BookingFacts,
        cares=value(
            f"SELECT {is_in_care('$1', '$2', '$3::text[]::uuid[]', '$4')}",
            community_id, wanted.child_id, [str(guardian_id)], today,
        ),
        lesson=one(LESSONS + " AND l.id = $2", community_id, wanted.lesson_id),
        course=one(
            COURSES + " AND c.id = (SELECT course_id FROM lesson WHERE community_id = $1 AND id = $2)",  # noqa: S608  # no input
            community_id, wanted.lesson_id,
        ),
        born_on=value(
            "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", community_id, wanted.child_id
        ),
        known=one(
            "SELECT b.id, b.status, (SELECT k.code FROM pickup k WHERE k.community_id = $1 AND k.noun = 'booking' "
            "AND k.noun_id = b.id) AS code FROM booking b WHERE b.community_id = $1 AND b.lesson_id = $2 "
            "AND b.child_id = $3 AND b.status IN ('held', 'waiting') FOR NO KEY UPDATE OF b",
            community_id, wanted.lesson_id, wanted.child_id,
        ),
        waiting=many(
            "SELECT id, child_id FROM booking WHERE community_id = $1 AND lesson_id = $2 AND status = 'waiting'",
            community_id, wanted.lesson_id,
        ),
        unseen=value(
            "SELECT EXISTS (SELECT FROM waiting_change WHERE community_id = $1 AND kind = $2 AND subject = $3 "
            "AND status = 'waiting')",
            community_id, LESSON_TERMS.name, str(wanted.lesson_id),
        ),
        codes=pickup.free_codes(scope, pickup.draw()),
    )  # fmt: skip
    waited = msgspec.json.decode(locked, type=dict[UUID, UUID])
    for waiter in facts.waiting:  # a merge of two records may have led a booking to another child meanwhile
        require_locked(waiter.child_id, [waited.get(waiter.id, waiter.child_id)])
    return facts


def lesson_of(facts: BookingFacts) -> LessonOut:
    """The lesson. Raises NotFound."""
    if facts.lesson is None:
        raise NotFound
    return facts.lesson


def decide(facts: BookingFacts, now: datetime, *, is_filled: bool = False) -> Seating:
    """What is done with the booking. `is_filled`: free seats have been given to those who wait.

    Raises NotGuardian, NotFound, LessonClosed, ChildAge, AlreadyBooked, Busy.
    """
    if not facts.cares:
        raise NotGuardian
    lesson, course = lesson_of(facts), facts.course
    assert course is not None
    if lesson.cancelled_at or lesson.starts_at <= now or not course.active:
        raise LessonClosed
    check_age(facts.born_on, course, clock.local_day(now))
    known = facts.known
    if known is not None and known.status == "held":
        if not is_filled:  # before those who wait are asked: a refusal would take their seats back
            raise AlreadyBooked
        return Seating("seated", known.code)
    if lesson.waiting and lesson.seats_free and not is_filled:
        return Seating("fill")
    if known is not None and not lesson.seats_free:
        raise AlreadyBooked
    if not lesson.seats_free:
        return Seating("wait")
    return Seating("seat", pickup.first_free(facts.codes))
