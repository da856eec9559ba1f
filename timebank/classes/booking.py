"""Book a child's seat in a lesson, and cancel the booking."""

from typing import Any
from uuid import UUID

from timebank.activities.seats import free_seats
from timebank.agreements.independence import is_near_home, signed_on
from timebank.agreements.own_terms import require_seen_terms
from timebank.classes import seats
from timebank.classes.courses import LESSON_TERMS
from timebank.classes.families import notify_family
from timebank.classes.schemas import Booked, BookingIn
from timebank.classes.seating import booking_facts, decide, lesson_of
from timebank.classes.seats import BookingRow
from timebank.classes.tables import Booking, Lesson
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, TimebankError
from timebank.core.locale import _
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger.grace import came_back
from timebank.ledger.posting import Returned
from timebank.ledger.resting import require_spendable
from timebank.people.guardianship.guardians import children_of
from timebank.policies.values import policies

ENDED = {"attended": _("上过了"), "missed": _("缺课"), "cancelled": _("取消了")}


class BookingEnded(TimebankError):
    code = "booking_ended"
    status = 409
    sentence = "这次约课已经{how}，不能再办。"


class TooLateToCancel(TimebankError):
    code = "too_late_to_cancel"
    sentence = "离上课不到 {hours} 小时，不能自己取消了。孩子有急事，请联系{station}。"


async def scope_for_child(scope: Scope, child_id: UUID) -> Scope:
    """The caller's scope in the community of a child in the caller's care; for any other child the scope unchanged."""
    if scope.home_ids <= {scope.community_id}:
        return scope
    child = next((c for c in await children_of(scope) if c.person_id == child_id), None)
    return scope.within(child.community_id) if child else scope


@retried
async def book_seat(scope: Scope, wanted: BookingIn) -> Booked:
    """Book a seat for a child and hold its class minutes, or join the waiting list when the lesson is full.

    Free seats are first given to waiting children who now have the minutes. A waiting child that is booked again while
    a seat is free gets the seat. Raises NotGuardian, LessonClosed, ChildAge, AlreadyBooked, OwnTerms,
    InsufficientClassMinutes.
    """
    guardian_id = scope.require_self()
    require_spendable(scope)
    async with transaction(scope):
        facts = await booking_facts(scope, wanted, guardian_id)
        seating = decide(facts, clock.now())
        if facts.unseen:
            await require_seen_terms(scope, LESSON_TERMS, wanted.lesson_id, guardian_id, lesson_of(facts).course)
        if seating.step == "fill":
            await seats.fill(scope, wanted.lesson_id)
            facts = await booking_facts(scope, wanted, guardian_id)
            seating = decide(facts, clock.now(), is_filled=True)
        lesson, booking_id = lesson_of(facts), facts.known.id if facts.known else clock.new_id()
        if seating.step == "seated":
            return Booked(id=booking_id, status="held", code=seating.code, minutes=lesson.minutes, place=None)
        if seating.code is None:
            await _insert(scope, wanted, guardian_id, booking_id)
            return Booked(id=booking_id, status="waiting", code=None, minutes=lesson.minutes, place=lesson.waiting + 1)
        held = await seats.hold_minutes(scope, lesson, booking_id, wanted.child_id)
        if facts.known is None:
            await _insert(scope, wanted, guardian_id, booking_id, entry_id=held.entry_id)
        else:
            database.queue(seats.seated(scope, booking_id, held.entry_id))
        database.queue(*seats.rows_of_seat(scope, lesson, booking_id, seating.code))
    return Booked(id=booking_id, status="held", code=seating.code, minutes=lesson.minutes, place=None)


async def _insert(
    scope: Scope, wanted: BookingIn, guardian_id: UUID, booking_id: UUID, *, entry_id: UUID | None = None
) -> None:  # fmt: skip
    """Queue a new booking: of a seat, or, without an entry, one that waits."""
    row = database.insert(Booking(
        community_id=scope.community_id, id=booking_id, lesson_id=wanted.lesson_id, child_id=wanted.child_id,
        guardian_id=guardian_id, status="held" if entry_id else "waiting", entry_id=entry_id,
        created_at=clock.now(), ended_at=None, ended_by=None,
    ))  # fmt: skip
    database.queue(row)
    await audit.record(
        scope, "book", "booking", booking_id, lesson_id=wanted.lesson_id, child_id=wanted.child_id
    )  # fmt: skip


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
            returned = await seats.cancel_held(scope, found, phrase("entry.booking_cancelled", course=found.course))
            await audit.record(scope, "cancel", "booking", found.id, about_id=found.child_id)
            await _notify_cancelled(scope, found, returned)
            if found.status == "held":
                await free_seats(scope, Lesson, lesson.id)
                await seats.fill(scope, lesson.id)
    return Booked(id=found.id, status="cancelled", code=None, minutes=found.minutes, place=None)


async def _notify_cancelled(scope: Scope, found: BookingRow, returned: Returned | None) -> None:
    """Notify the family, except the caller."""
    back: dict[str, Any] = {"back": came_back(returned, "minutes")} if returned else {}
    await notify_family(
        scope, found.child_id, "booking_cancelled.returned" if returned else "booking_cancelled",
        f"booking:{found.id}:cancelled", found.id, but=scope.own_ids,
        child=found.child, course=found.course, at=found.starts_at, station=found.station, **back,
    )  # fmt: skip


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
