"""Shifts of an activity, and people's sign-ups for them."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.activities.offers import activity
from timebank.activities.schemas import ShiftIn, ShiftOut, SignUpOut
from timebank.activities.seats import free_seats, take_seat
from timebank.activities.tables import Shift, SignUp
from timebank.activities.team_of import is_led_by
from timebank.core import audit, clock, database
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope

LENGTH_MAX = timedelta(hours=24)


class ShiftFull(TimebankError):
    code = "shift_full"
    status = 409
    sentence = "这一班已经报满了。请选别的班次。"


class ShiftOver(TimebankError):
    code = "shift_over"
    status = 422
    sentence = "这一班已经开始、结束或取消，不能再报名或退出。"


class ShiftTimes(TimebankError):
    code = "shift_times"
    status = 422
    sentence = "班次的开始要早于结束，一班不超过 24 小时。"
    constraint = "shift_order"


_SHOWN = (
    "SELECT s.id, s.activity_id, s.station_id, s.starts_at, s.ends_at, s.seats, s.seats_taken, s.pattern_id, "
    "s.cancelled_at IS NOT NULL AS cancelled, mine.id IS NOT NULL AS signed_up, coalesce(mine.leads, false) AS leads, "
    "mine.offered_at IS NOT NULL AS offering, "
    "(SELECT count(*) FROM sign_up o WHERE o.community_id = s.community_id AND o.shift_id = s.id "
    "AND o.offered_at IS NOT NULL AND o.person_id IS DISTINCT FROM $2) AS on_offer FROM shift s "
    "LEFT JOIN sign_up mine ON mine.community_id = s.community_id AND mine.shift_id = s.id "
    "AND mine.person_id = $2 AND mine.cancelled_at IS NULL WHERE s.community_id = $1"
)


async def shift(scope: Scope, shift_id: UUID) -> ShiftOut:
    async with transaction(scope):
        found = await database.row(
            ShiftOut,
            f"{_SHOWN} AND s.id = $3",
            scope.community_id, scope.person_id, shift_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def shifts(
    scope: Scope, activity_id: UUID | None = None, *, after: datetime | None = None, limit: int = 50,
    cursor: str | None = None,
) -> Page[ShiftOut]:  # fmt: skip
    """The shifts that end after a moment, by default now, soonest first."""
    asked = Filters(scope.community_id, scope.person_id)
    asked.add("s.ends_at > {}", after or clock.now())
    asked.add_given("s.activity_id = {}", activity_id)
    asked.add_after("s.starts_at, s.id", ">", read_cursor(cursor, tuple[datetime, UUID]))
    async with transaction(scope):
        if activity_id is not None:
            await activity(scope, activity_id)
        found = await database.rows(
            ShiftOut,
            f"{_SHOWN}{asked.sql} ORDER BY s.starts_at, s.id LIMIT {most(limit + 1)}",
            *asked.values,
        )
    return make_page(found, limit, lambda s: (s.starts_at, s.id))


@retried
async def add_shift(scope: Scope, activity_id: UUID, wanted: ShiftIn) -> ShiftOut:
    """Add a shift of at most 24 hours. Attendance is measured against its length. Raises ShiftTimes."""
    scope.require_keeper(wanted.station_id)
    if not timedelta() < wanted.ends_at - wanted.starts_at <= LENGTH_MAX:
        raise ShiftTimes
    shift_id = clock.new_id()
    async with transaction(scope):
        await activity(scope, activity_id)
        await Shift.insert(
            Shift(
                community_id=scope.community_id, id=shift_id, activity_id=activity_id, station_id=wanted.station_id,
                starts_at=wanted.starts_at, ends_at=wanted.ends_at, seats=wanted.seats, seats_taken=0,
                created_at=clock.now(), cancelled_at=None, pattern_id=None,
            )
        )  # fmt: skip
        await audit.record(scope, "add_shift", "shift", shift_id, activity_id=activity_id, seats=wanted.seats)
        return await shift(scope, shift_id)


@retried
async def sign_up(scope: Scope, shift_id: UUID, person_id: UUID | None = None) -> SignUpOut:
    """Sign up for a shift; a repetition returns the same sign-up. Raises ShiftFull and ShiftOver.

    The row lock on the shift serialises sign-ups. A leader of the activity's team leads the shift.
    """
    person = _own(scope, person_id)
    async with transaction(scope):
        taken = await database.fetch_one(
            "SELECT starts_at, cancelled_at, activity_id FROM shift WHERE community_id = $1 AND id = $2 "
            "FOR NO KEY UPDATE",
            scope.community_id, shift_id,
        )  # fmt: skip
        if taken is None:
            raise NotFound
        if taken["cancelled_at"] or taken["starts_at"] <= clock.now():
            raise ShiftOver
        mine = await _seat_of(scope, shift_id, person)
        if mine is not None and not mine.cancelled:
            return SignUpOut(id=mine.id, shift_id=shift_id, person_id=person)
        if not await take_seat(scope, Shift, shift_id):
            raise ShiftFull
        sign_up_id = mine.id if mine else clock.new_id()
        await database.execute(
            "INSERT INTO sign_up (community_id, id, shift_id, person_id, created_at, leads) "  # noqa: S608  # no input
            f"VALUES ($1, $2, $3, $4, $5, {is_led_by('$1', '$6', '$4')}) "
            "ON CONFLICT (community_id, shift_id, person_id) DO UPDATE SET cancelled_at = NULL, created_at = $5, "
            "stands = false, leads = excluded.leads",
            scope.community_id, sign_up_id, shift_id, person, clock.now(), taken["activity_id"],
        )  # fmt: skip
        await audit.record(scope, "sign_up", "shift", shift_id, sign_up_id=sign_up_id)
    return SignUpOut(id=sign_up_id, shift_id=shift_id, person_id=person)


@retried
async def cancel_sign_up(scope: Scope, shift_id: UUID, person_id: UUID | None = None) -> None:
    """Cancel a sign-up before the shift begins; a repetition changes nothing. Raises ShiftOver."""
    person = _own(scope, person_id)
    async with transaction(scope):
        taken = await database.fetch_one(
            "SELECT starts_at FROM shift WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
            scope.community_id,
            shift_id,
        )
        mine = await _seat_of(scope, shift_id, person)
        if taken is None or mine is None:
            raise NotFound
        if mine.cancelled:
            return
        if taken["starts_at"] <= clock.now():
            raise ShiftOver
        await SignUp.update({SignUp.cancelled_at: clock.now(), SignUp.offered_at: None, SignUp.leads: False}).where(
            (SignUp.community_id == scope.community_id) & (SignUp.id == mine.id)
        )
        await free_seats(scope, Shift, shift_id)
        await audit.record(scope, "withdraw", "shift", shift_id, sign_up_id=mine.id)


def _own(scope: Scope, person_id: UUID | None) -> UUID:
    person = person_id or scope.require_self()
    if not scope.is_own(person):
        raise Forbidden
    return person


class _Seat(msgspec.Struct, frozen=True):
    id: UUID
    cancelled: bool


async def _seat_of(scope: Scope, shift_id: UUID, person_id: UUID) -> _Seat | None:
    return await database.row(
        _Seat,
        "SELECT id, cancelled_at IS NOT NULL AS cancelled FROM sign_up "
        "WHERE community_id = $1 AND shift_id = $2 AND person_id = $3",
        scope.community_id, shift_id, person_id,
    )  # fmt: skip
