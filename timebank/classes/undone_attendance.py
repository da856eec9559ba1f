"""The undo of an attendance within a minute, by the login that has just marked it at the counter."""

from uuid import UUID

from timebank.access.pickup import give_pickup
from timebank.classes import seats
from timebank.classes.attendance import read_attendance, require_attendable
from timebank.classes.families import notify_family
from timebank.classes.schemas import Booked
from timebank.classes.seats import BookingRow
from timebank.classes.tables import Booking
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.ledger import posting
from timebank.ledger.posting import Posting
from timebank.presence.undoing.acts import has_undone, is_within_the_minute, note_undone


class AttendanceStands(TimebankError):
    code = "attendance_stands"
    status = 409
    sentence = (
        "这次到课不能撤销：只有刚记的那个账号，在一分钟以内、下课以前可以撤销，孩子又约了这节课的也不行。"
        "记错了的，请在后台更正课时。"
    )


@retried
async def undo_attendance(scope: Scope, booking_id: UUID) -> Booked:
    """Undo an attendance within a minute, by the login that marked it: the seat is held as before, with its minutes.

    The settled minutes come back by a reversal and are held again, and the family gets a new code. A repeated call
    changes nothing. Raises AttendanceStands, OwnChild, InsufficientClassMinutes, NotFound.
    """
    async with transaction(scope):
        holder = await seats.lock_child(scope, booking_id)
        lesson_id = (await seats.visible_booking(scope, booking_id)).lesson_id
        lesson = await seats.locked_lesson(scope, lesson_id)
        facts = await read_attendance(scope, booking_id, holder)
        found = require_attendable(scope, facts, holder)
        if found.status == "held" and await has_undone(scope, "attend", booking_id):
            return Booked(id=found.id, status="held", code=None, minutes=found.minutes, place=None)
        settled = await _require_undoable(scope, found)
        note = Posting(
            kind="reversal", key=f"booking:{found.id}:undone:{settled}", source_kind="booking", source_id=found.id,
            memo=phrase("entry.attendance_undone", course=found.course),
        )  # fmt: skip
        await posting.reverse(scope, settled, note)
        noted = await note_undone(scope, "attend", found.id, found.station_id, found.child_id, what=found.course)
        held = await seats.hold_minutes(scope, lesson, found.id, found.child_id, again=noted)
        await Booking.update(
            {
                Booking.status: "held",
                Booking.entry_id: held.entry_id,
                Booking.ended_at: None,
                Booking.ended_by: None,
                Booking.ended_by_login: None,
            }
        ).where((Booking.community_id == scope.community_id) & (Booking.id == found.id))
        await give_pickup(scope, seats.NOUN, found.id, found.station_id, found.ends_at)
        await audit.record(scope, "undo_attend", "booking", found.id, about_id=found.child_id, minutes=found.minutes)
        await notify_family(
            scope, found.child_id, "attendance_undone", f"booking:{found.id}:undone:{noted}", found.id,
            family=facts.family, child=found.child, course=found.course, at=found.starts_at, minutes=found.minutes,
            station=found.station,
        )  # fmt: skip
    return Booked(id=found.id, status="held", code=None, minutes=found.minutes, place=None)


async def _require_undoable(scope: Scope, found: BookingRow) -> UUID:
    """The entry that settled the minutes, where the caller may undo the attendance. Raises AttendanceStands."""
    ended = await database.fetch_one(
        "SELECT b.ended_at, b.ended_by_login, (SELECT max(c.entry_id::text)::uuid FROM transfer h "
        "JOIN transfer c ON c.community_id = h.community_id AND c.closes = h.id AND c.kind = 'settle' "
        "WHERE h.community_id = $1 AND h.entry_id = b.entry_id) AS settled, "
        "EXISTS (SELECT FROM booking o WHERE o.community_id = $1 AND o.lesson_id = b.lesson_id "
        "AND o.child_id = b.child_id AND o.status IN ('held', 'waiting')) AS booked_again "
        "FROM booking b WHERE b.community_id = $1 AND b.id = $2",
        scope.community_id, found.id,
    )  # fmt: skip
    assert ended is not None
    mine = scope.login_id is not None and ended["ended_by_login"] == scope.login_id
    in_time = is_within_the_minute(ended["ended_at"]) and clock.now() < found.ends_at
    if found.status != "attended" or not mine or not in_time or ended["booked_again"] or ended["settled"] is None:
        raise AttendanceStands
    return UUID(bytes=ended["settled"].bytes)
