"""Book a child's seat in a lesson, and cancel the booking."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from timebank.activities.seats import free_seats
from timebank.agreements.independence import NearFacts, is_near_home, signed_on
from timebank.agreements.own_terms import require_seen_terms
from timebank.classes import seats
from timebank.classes.courses import LESSON_TERMS
from timebank.classes.families import guardians_of, notify_family
from timebank.classes.schemas import Booked, BookingIn, LessonOut
from timebank.classes.seating import AlreadyBooked, booking_facts, decide, lesson_of
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
from timebank.ledger.resting import require_rested, require_spendable
from timebank.people.guardianship.guardians import NotGuardian, children_of
from timebank.people.messages import notify_household
from timebank.policies.values import policies
from timebank.presence.evidence.acted_for import apart_question, require_apart, rests_question

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
    a seat is free gets the seat. With a `reason` an administrator books for the family, which is notified: with its
    minutes and its rests, and for nobody near. Raises NotGuardian, LessonClosed, ChildAge, AlreadyBooked, OwnTerms,
    InsufficientClassMinutes, SpendingRests, and for an administrator NotIndependent.
    """
    async with transaction(scope):
        guardian_id = await _guardian_for(scope, wanted)
        facts = await booking_facts(scope, wanted, guardian_id)
        seating = decide(facts, clock.now())
        if wanted.reason is not None and facts.known is not None:
            raise AlreadyBooked  # the family waits already, by itself
        if facts.unseen:
            await require_seen_terms(scope, LESSON_TERMS, wanted.lesson_id, guardian_id, lesson_of(facts).course)
        if seating.step == "fill":
            await seats.fill(scope, wanted.lesson_id)
            facts = await booking_facts(scope, wanted, guardian_id)
            seating = decide(facts, clock.now(), is_filled=True)
        lesson, booking_id = lesson_of(facts), facts.known.id if facts.known else clock.new_id()
        code = None if wanted.reason else seating.code
        if seating.step == "seated":
            return Booked(id=booking_id, status="held", code=code, minutes=lesson.minutes, place=None)
        if seating.code is None:
            await _insert(scope, wanted, guardian_id, booking_id)
            await _notify_booked_for(scope, wanted, lesson, booking_id)
            return Booked(id=booking_id, status="waiting", code=None, minutes=lesson.minutes, place=lesson.waiting + 1)
        held = await seats.hold_minutes(scope, lesson, booking_id, wanted.child_id)
        if facts.known is None:
            await _insert(scope, wanted, guardian_id, booking_id, entry_id=held.entry_id)
        else:
            database.queue(seats.seated(scope, booking_id, held.entry_id))
        database.queue(*seats.rows_of_seat(scope, lesson, booking_id, seating.code))
        await _notify_booked_for(scope, wanted, lesson, booking_id)
    return Booked(id=booking_id, status="held", code=code, minutes=lesson.minutes, place=None)


class _ForFamily(msgspec.Struct, frozen=True, kw_only=True):
    near: NearFacts
    rests_until: datetime | None


async def _guardian_for(scope: Scope, wanted: BookingIn) -> UUID:
    """The guardian who books: the caller, or with a `reason` the first of the child's, for whom an administrator acts.

    Raises Forbidden, SpendingRests, and for an administrator NotGuardian and NotIndependent.
    """
    if wanted.reason is None:
        require_spendable(scope)
        return scope.require_self()
    scope.require_admin()
    guardians = (await guardians_of(scope, [wanted.child_id]))[wanted.child_id]
    family = [wanted.child_id, *guardians]
    facts = await database.read(
        _ForFamily, near=apart_question(scope, family), rests_until=rests_question(scope, family)
    )
    require_apart(scope, facts.near, family)
    require_rested(facts.rests_until)
    if not guardians:
        raise NotGuardian
    return guardians[0]


async def _notify_booked_for(scope: Scope, wanted: BookingIn, lesson: LessonOut, booking_id: UUID) -> None:
    """Notify the family and the household of what an administrator has booked for them, with the reason."""
    if wanted.reason is None:
        return
    name = await database.fetch_value(
        "SELECT name FROM person WHERE community_id = $1 AND id = $2", scope.community_id, wanted.child_id
    )
    says: dict[str, Any] = {
        "child": name, "course": lesson.course, "at": lesson.starts_at, "station": lesson.station,
        "minutes": lesson.minutes, "reason": wanted.reason,
    }  # fmt: skip
    for notify in (notify_family, notify_household):
        await notify(
            scope, wanted.child_id, "booked_for", f"booking:{booking_id}:booked_for", booking_id, urgent=True, **says
        )


async def _insert(
    scope: Scope, wanted: BookingIn, guardian_id: UUID, booking_id: UUID, *, entry_id: UUID | None = None
) -> None:  # fmt: skip
    """Queue a new booking: of a seat, or, without an entry, one that waits."""
    row = database.insert(Booking(
        community_id=scope.community_id, id=booking_id, lesson_id=wanted.lesson_id, child_id=wanted.child_id,
        guardian_id=guardian_id, status="held" if entry_id else "waiting", entry_id=entry_id,
        created_at=clock.now(), ended_at=None, ended_by=None, ended_by_login=None,
        booked_by=scope.actor_id if wanted.reason else None,
        booked_by_login=scope.login_id if wanted.reason else None, booked_because=wanted.reason,
    ))  # fmt: skip
    database.queue(row)
    await audit.record(
        scope, "book_for" if wanted.reason else "book", "booking", booking_id, reason=wanted.reason,
        lesson_id=wanted.lesson_id, child_id=wanted.child_id,
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
    if found.acted_by_login is not None and clock.now() < found.starts_at:
        return  # the family did not ask for it, and cancels it until the lesson begins
    if not await seats.is_cancellable(scope, found.starts_at, found.moved_at):
        raise TooLateToCancel(hours=(await policies(scope)).cancel_class_hours, station=found.station)
