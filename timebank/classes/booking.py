"""Book a child's seat in a lesson, and cancel the booking."""

from uuid import UUID

from timebank.agreements.independence import is_near_home, signed_on
from timebank.agreements.own_terms import require_seen_terms
from timebank.classes import seats
from timebank.classes.class_time.purchase import require_age
from timebank.classes.courses import LESSON_TERMS, course
from timebank.classes.families import notify_family
from timebank.classes.schemas import Booked, BookingIn, LessonOut
from timebank.classes.seats import BookingRow
from timebank.classes.tables import Booking
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import dated_at, duration, memo
from timebank.ledger.grace import back_in_words
from timebank.ledger.posting import Returned
from timebank.ledger.resting import require_spendable
from timebank.people.guardianship.guardians import children_of, require_guardian
from timebank.policies.values import policies

ENDED = {"attended": _("上过了"), "missed": _("缺课"), "cancelled": _("取消了")}


class AlreadyBooked(TimebankError):
    code = "already_booked"
    status = 409
    sentence = "孩子已经约了这节课，或已在候补。"
    constraint = "booking_one_active"


class LessonClosed(TimebankError):
    code = "lesson_closed"
    sentence = "这节课已经开始或取消了，不能再约。请约别的一节。"


class BookingEnded(TimebankError):
    code = "booking_ended"
    status = 409
    sentence = "这次约课已经{how}，不能再办。"


class TooLateToCancel(TimebankError):
    code = "too_late_to_cancel"
    sentence = "离上课不到 {hours} 小时，不能自己取消了。孩子有急事，请联系{station}。"


async def scope_for_child(scope: Scope, child_id: UUID) -> Scope:
    """The caller's scope in the community of a child in the caller's care; for any other child the scope unchanged."""
    child = next((c for c in await children_of(scope) if c.person_id == child_id), None)
    return scope.within(child.community_id) if child else scope


@retried
async def book_seat(scope: Scope, wanted: BookingIn) -> Booked:
    """Book a seat for a child and hold its class minutes, or join the waiting list when the lesson is full.

    Free seats are first given to waiting children who now have the minutes. A waiting child that is booked again while
    a seat is free gets the seat. Raises NotGuardian, LessonClosed, ChildAge, AlreadyBooked, OwnTerms,
    InsufficientClassMinutes.
    """
    async with transaction(scope):
        guardian_id = scope.require_self()
        require_spendable(scope)
        await require_guardian(scope, guardian_id, wanted.child_id)
        await seats.lock_waiting_children(scope, wanted.lesson_id, wanted.child_id)
        lesson = await seats.locked_lesson(scope, wanted.lesson_id)
        await _require_bookable(scope, lesson, wanted.child_id)
        await require_seen_terms(scope, LESSON_TERMS, lesson.id, guardian_id, lesson.course)
        if lesson.waiting and lesson.seats_free:
            await seats.fill(scope, lesson.id)
            lesson = await seats.locked_lesson(scope, wanted.lesson_id)
        booking_id = await _place_in_line(scope, lesson, wanted.child_id, guardian_id)
        if lesson.seats_free > 0:
            code = await seats.take_seat(scope, lesson, booking_id, wanted.child_id)
            return Booked(id=booking_id, status="held", code=code, minutes=lesson.minutes, place=None)
    return Booked(id=booking_id, status="waiting", code=None, minutes=lesson.minutes, place=lesson.waiting + 1)


async def _place_in_line(scope: Scope, lesson: LessonOut, child_id: UUID, guardian_id: UUID) -> UUID:
    """The id of the child's waiting booking, created if there is none.

    Raises AlreadyBooked if the child has a seat, or waits already while no seat is free.
    """
    known = await database.fetch_one(
        "SELECT id, status FROM booking WHERE community_id = $1 AND lesson_id = $2 AND child_id = $3 "
        "AND status IN ('held', 'waiting') FOR NO KEY UPDATE",
        scope.community_id, lesson.id, child_id,
    )  # fmt: skip
    if known is not None and (known["status"] == "held" or not lesson.seats_free):
        raise AlreadyBooked
    if known is not None:
        return UUID(bytes=known["id"].bytes)
    booking_id = clock.new_id()
    await Booking.insert(
        Booking(
            community_id=scope.community_id, id=booking_id, lesson_id=lesson.id, child_id=child_id,
            guardian_id=guardian_id, status="waiting", code=None, entry_id=None, created_at=clock.now(), ended_at=None,
            ended_by=None,
        )
    )  # fmt: skip
    await audit.record(scope, "book", "booking", booking_id, lesson_id=lesson.id, child_id=child_id)
    return booking_id


@retried
async def cancel_booking(scope: Scope, booking_id: UUID) -> Booked:
    """Cancel a booking: the held minutes return, and the first waiting child that has the minutes gets the seat.

    The family cancels until the deadline (`is_cancellable`); a keeper of the station or an administrator may cancel
    later, unless the child is close to them. A second call answers the same and posts nothing.
    """
    async with transaction(scope):
        found = await seats.visible_booking(scope, booking_id)
        await seats.lock_waiting_children(scope, found.lesson_id, found.child_id)
        lesson = await seats.locked_lesson(scope, found.lesson_id)
        found = await seats.locked_booking(scope, booking_id)
        if found.status != "cancelled":
            if found.status not in ("held", "waiting"):
                raise BookingEnded(how=ENDED[found.status])
            await _require_in_time(scope, found)
            returned = await seats.cancel_held(scope, found, memo("booking_cancelled", course=found.course))
            await audit.record(scope, "cancel", "booking", found.id)
            await _notify_cancelled(scope, found, returned)
            if found.status == "held":
                await seats.free(scope, lesson.id)
                await seats.fill(scope, lesson.id)
    return Booked(id=found.id, status="cancelled", code=None, minutes=found.minutes, place=None)


async def _notify_cancelled(scope: Scope, found: BookingRow, returned: Returned | None) -> None:
    """Notify the family, except the caller."""
    back = f"课时{back_in_words(returned, unit=duration)}。" if returned else "没有用去课时。"
    what = f"{found.child}约的《{found.course}》{dated_at(found.starts_at)}那一节"
    text = f"{what}取消了，{back}不是您要取消的，请找{found.station}。"
    await notify_family(
        scope, found.child_id, "booking_cancelled", text, f"booking:{found.id}:cancelled", found.id,
        but=[p.person_id for p in scope.persons],
    )  # fmt: skip


async def _require_bookable(scope: Scope, lesson: LessonOut, child_id: UUID) -> None:
    given = await course(scope, lesson.course_id)
    if lesson.cancelled_at or lesson.starts_at <= clock.now() or not given.active:
        raise LessonClosed
    await require_age(scope, child_id, given)


async def _require_in_time(scope: Scope, found: BookingRow) -> None:
    """Refuse the family after the deadline. Staff may cancel later, but not for their own child or household.

    Raises Forbidden, TooLateToCancel.
    """
    own = await seats.cares_for(scope, found)
    if not own and not scope.keeps(found.station_id):
        raise Forbidden
    close = own or scope.is_own(found.guardian_id) or await is_near_home(signed_on(scope), found.child_id)
    if found.status == "waiting" or (not close and scope.keeps(found.station_id)):
        return
    if not await seats.is_cancellable(scope, found.starts_at, found.moved_at):
        raise TooLateToCancel(hours=(await policies(scope)).cancel_class_hours, station=found.station)
