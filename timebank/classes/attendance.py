"""How bookings of a lesson end: attended, missed, or cancelled together with the lesson."""

from typing import Any
from uuid import UUID

import msgspec

from timebank.access.pickup import count_try
from timebank.activities.seats import free_seats
from timebank.agreements.independence import NearFacts, near_by, near_question, signed_on
from timebank.classes import seats
from timebank.classes.booking import ENDED, BookingEnded
from timebank.classes.families import Family, family_question, notify_family
from timebank.classes.schemas import Booked, LessonOut
from timebank.classes.seats import HELD, BookingRow, Holder
from timebank.classes.tables import Lesson
from timebank.core import audit, clock, database
from timebank.core.database import read, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import because, phrase
from timebank.ledger import posting
from timebank.ledger.grace import came_back
from timebank.ledger.posting import Posting
from timebank.people.locks import lock_people, require_locked
from timebank.people.messages import is_soon
from timebank.presence.at_counter import proving_scan, require_presence
from timebank.presence.choice import EARLY
from timebank.presence.evidence.acted_for import require_other_hand

CLOSE_BATCH = 500


class OwnChild(TimebankError):
    code = "own_child"
    status = 403
    sentence = "不能给自己或同一户的孩子记到课。请另一位站长来办。"


class WrongDoorCode(TimebankError):
    code = "wrong_door_code"
    status = 422
    sentence = "到课码不对。请看家长手机上的 8 位数字，再输一次。"


class NoSeat(TimebankError):
    code = "no_seat"
    status = 409
    sentence = "孩子还在候补，没有位子，不能记到课。"


class LessonNotYet(TimebankError):
    code = "lesson_not_yet"
    status = 409
    sentence = "这节课不在今天，扫码到场不能提前记到课。请到上课那天再扫；现在要记，请输入到课码。"


class LessonOver(TimebankError):
    code = "lesson_over"
    status = 409
    sentence = "这节课已经上完，不能再取消。"


@retried
async def attend(scope: Scope, booking_id: UUID, code: str | None = None, presence: str | None = None) -> Booked:
    """Mark a booking as attended and capture its held minutes. Also corrects a booking marked as missed.

    The caller is a keeper of the course's station or an administrator, and neither booked the seat, nor cares for the
    child, nor belongs to its household. A keeper proves attendance by the booking's code or by `presence`: the nonce
    of a scan of the child or a guardian at the station in the last 5 minutes. An administrator needs neither, unless
    another one has booked the seat for the family: see `require_other_hand`. A second call answers the same and posts
    nothing.
    """
    async with transaction(scope):
        holder = await seats.lock_child(scope, booking_id)
        facts = await read_attendance(scope, booking_id, holder)
        found = require_attendable(scope, facts, holder)
        if found.status == "held":
            everybody = [found.child_id, *facts.family.guardians]
            scan = None
            if found.acted_by_login is not None and code is None:
                scan = await proving_scan(scope, everybody, found.station_id, presence)
            await require_other_hand(scope, found, everybody, scan)
            await _require_proof(scope, found, facts.family, code, presence)
            await _consume(scope, found)
        if found.status != "attended":
            await seats.end_booking(scope, found, "attended")
            await audit.record(scope, "attend", "booking", found.id, about_id=found.child_id, by_code=code is not None)
            await notify_family(
                scope, found.child_id, "booking_attended", f"booking:{found.id}:attended:{found.entry_id}", found.id,
                family=facts.family, child=found.child, course=found.course, at=found.starts_at, minutes=found.minutes,
                station=found.station,
            )  # fmt: skip
    return Booked(id=found.id, status="attended", code=None, minutes=found.minutes, place=None)


class AttendanceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The booking under its row lock, who is near the caller, and the child's family."""

    booking: BookingRow | None
    near: NearFacts
    family: Family


async def read_attendance(scope: Scope, booking_id: UUID, holder: Holder) -> AttendanceFacts:
    """Lock the booking's row and read who its child is. The caller has locked the child's row."""
    return await read(
        AttendanceFacts,
        booking=database.one(f"{HELD} b.id = $2 FOR NO KEY UPDATE OF b", scope.community_id, booking_id),
        near=near_question(signed_on(scope), [holder.child_id]),
        family=family_question(scope, holder.child_id),
    )


def require_attendable(scope: Scope, facts: AttendanceFacts, holder: Holder) -> BookingRow:
    """The booking, if the caller may mark it as attended.

    Raises NotFound, Forbidden, OwnChild, NoSeat, BookingEnded.
    """
    found = facts.booking
    cares = scope.is_own(holder.child_id) or any(scope.is_own(guardian) for guardian in facts.family.guardians)
    sees = found is not None and (scope.reads_at(found.station_id, own=False) or (cares and scope.device_id is None))
    if found is None or not sees:
        raise NotFound
    require_locked(found.child_id, [holder.child_id])
    scope.require_keeper(found.station_id)
    is_near = found.child_id in near_by(signed_on(scope), facts.near).home
    if cares or is_near or scope.is_own(found.guardian_id):
        raise OwnChild
    if found.status == "waiting":
        raise NoSeat
    if found.status == "cancelled":
        raise BookingEnded(how=ENDED[found.status])
    return found


async def _require_proof(
    scope: Scope, found: BookingRow, family: Family, code: str | None, presence: str | None
) -> None:
    """Require a code or a presence scan, so that a keeper cannot use up a family's minutes without proof.

    Raises WrongDoorCode, TooManyAttempts, LessonNotYet, and what `require_presence` raises.
    """
    if code is not None:
        if not await count_try(scope, seats.NOUN, found.id, found.code, code):
            raise WrongDoorCode
    elif not scope.administers or presence is not None or found.acted_by_login is not None:
        everybody = [found.child_id, *family.guardians]
        await require_presence(scope, everybody, found.station_id, presence, spends=False)
        # A scan today does not prove attendance at a later lesson, whose booking the family can still cancel.
        if clock.now() < min(clock.day_bounds(clock.local_day(found.starts_at))[0], found.starts_at - EARLY):
            raise LessonNotYet


async def close_lessons(scope: Scope) -> int:
    """Worker job: end open bookings and return how many were ended.

    A held seat becomes missed when the lesson has ended; a waiting booking is cancelled when the lesson has begun. Each
    booking is ended in its own transaction, which skips one that another worker has locked. Lessons that begin after
    their course was stopped are left to `cancel_lessons_of_stopped`.
    """
    async with transaction(scope):
        due = await database.fetch(
            "SELECT b.id FROM booking b JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id "
            "JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id "
            "WHERE b.community_id = $1 AND ((b.status = 'held' AND l.ends_at <= $2) "
            "OR (b.status = 'waiting' AND l.starts_at <= $2)) "
            "AND (c.stopped_at IS NULL OR l.starts_at <= c.stopped_at) ORDER BY b.id LIMIT $3",
            scope.community_id, clock.now(), CLOSE_BATCH,
        )  # fmt: skip
    return sum([await _close(scope, record["id"]) for record in due])


@retried
async def _close(scope: Scope, booking_id: UUID) -> bool:
    async with transaction(scope):
        child_id = (await seats.visible_booking(scope, booking_id)).child_id
        await lock_people(scope, [child_id])
        found = await database.row(
            BookingRow, f"{HELD} b.id = $2 FOR NO KEY UPDATE OF b SKIP LOCKED", scope.community_id, booking_id
        )
        if found is None or found.status not in ("held", "waiting"):
            return False
        require_locked(found.child_id, [child_id])
        if found.status == "waiting":
            await seats.end_booking(scope, found, "cancelled")
            says = phrase("booking_closed.waited", course=found.course)
        else:
            await _consume(scope, found)
            await seats.end_booking(scope, found, "missed")
            says = phrase(
                "booking_closed.missed", child=found.child, course=found.course, minutes=found.minutes,
                station=found.station,
            )  # fmt: skip
        await audit.record(scope, "close", "booking", found.id, about_id=found.child_id, was=found.status)
        await notify_family(scope, found.child_id, says.kind, f"booking:{found.id}:closed", found.id, **says.values)
    return True


@retried
async def cancel_lesson(scope: Scope, lesson_id: UUID, reason: str) -> LessonOut:
    """Cancel a lesson, return the held minutes and notify every family of the reason. Idempotent."""
    async with transaction(scope):
        await seats.lock_waiting_children(scope, lesson_id, seated=True)
        lesson = await seats.locked_lesson(scope, lesson_id)
        scope.require_keeper(lesson.station_id)
        if lesson.cancelled_at is None:
            if lesson.ends_at <= clock.now():
                raise LessonOver
            await _return_all(scope, lesson, reason)
            await audit.record(scope, "cancel", "lesson", lesson_id, reason=reason)
        return await seats.locked_lesson(scope, lesson_id)


@retried
async def cancel_lesson_of_stopped(scope: Scope, lesson_id: UUID, reason: str) -> bool:
    """Cancel a lesson of a stopped course, even if the lesson has ended meanwhile.

    Returns False if it was cancelled before, or if the course was reopened.
    """
    async with transaction(scope):
        await seats.lock_waiting_children(scope, lesson_id, seated=True)
        lesson = await seats.locked_lesson(scope, lesson_id)
        if lesson.cancelled_at is not None or not await _was_stopped_before(scope, lesson):
            return False
        await _return_all(scope, lesson, reason)
        await audit.record(scope, "cancel", "lesson", lesson_id, reason=reason or None)
    return True


async def _was_stopped_before(scope: Scope, lesson: LessonOut) -> bool:
    stopped: bool = await database.fetch_value(
        "SELECT EXISTS (SELECT FROM course WHERE community_id = $1 AND id = $2 AND stopped_at < $3)",
        scope.community_id, lesson.course_id, lesson.starts_at,
    )  # fmt: skip
    return stopped


async def _return_all(scope: Scope, lesson: LessonOut, reason: str) -> None:
    bookings = await database.rows(
        BookingRow, HELD + "b.lesson_id = $2 AND b.status IN ('held', 'waiting') ORDER BY b.id FOR NO KEY UPDATE OF b",
        scope.community_id, lesson.id,
    )  # fmt: skip
    for booking in bookings:
        returned = await seats.cancel_held(scope, booking, phrase("entry.lesson_cancelled", course=booking.course))
        back: dict[str, Any] = {"back": came_back(returned, "minutes")} if returned else {}
        await notify_family(
            scope, booking.child_id, "lesson_cancelled.returned" if returned else "lesson_cancelled",
            f"booking:{booking.id}:cancelled", booking.id, urgent=is_soon(booking.starts_at), child=booking.child,
            course=booking.course, at=booking.starts_at, why=because(reason), **back,
        )  # fmt: skip
    held = sum(booking.status == "held" for booking in bookings)
    await free_seats(scope, Lesson, lesson.id, held)
    await Lesson.update({Lesson.cancelled_at: clock.now()}).where(
        (Lesson.community_id == scope.community_id) & (Lesson.id == lesson.id)
    )
    await database.flush()


async def _consume(scope: Scope, found: BookingRow) -> None:
    assert found.entry_id is not None
    why = phrase("entry.lesson_attended", course=found.course, minutes=found.minutes, station=found.station)
    # Each hold is settled once; after an undone attendance there is another one.
    key = f"booking:{found.id}:settle:{found.entry_id}"
    note = Posting(kind="settle", key=key, source_kind="booking", source_id=found.id, memo=why)
    await posting.capture(scope, found.entry_id, note)
