"""Seats on offer: who cannot come looks for somebody else, and the first who says yes has the seat."""

from datetime import datetime
from uuid import UUID

import msgspec

from timebank.activities.patterns.standing import own_resident, require_adult
from timebank.activities.schemas import SeatOut
from timebank.activities.shifts import ShiftOver
from timebank.activities.tables import SignUp
from timebank.activities.team_of import is_led_by, people_to_ask
from timebank.core import audit, clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.locks import lock_people, require_locked
from timebank.people.messages import Notification, is_soon, notify, notify_many


class SeatTaken(TimebankError):
    code = "seat_taken"
    status = 409
    sentence = "这个位子已经有人接了。谢谢您！还有别的班次可以报。"


class _Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A shift under its row lock, with the names for messages."""

    activity_id: UUID
    activity: str
    station: str
    starts_at: datetime
    cancelled: bool


class _Seat(msgspec.Struct, frozen=True):
    id: UUID
    person_id: UUID
    offered: bool


_SEATS = (
    "SELECT id, person_id, offered_at IS NOT NULL AS offered FROM sign_up "
    "WHERE community_id = $1 AND shift_id = $2 AND cancelled_at IS NULL"
)


@retried
async def offer_seat(scope: Scope, shift_id: UUID, person_id: UUID | None = None) -> SeatOut:
    """Look for somebody to take the own seat: the team is notified, or who signed up for the activity lately.

    The seat stays one's own until somebody takes it. A repetition notifies nobody again. Raises ShiftOver, NotFound.
    """
    person = own_resident(scope, person_id)
    async with transaction(scope):
        await lock_people(scope, [person])
        found = await _locked(scope, shift_id)
        mine = await _own_seat(scope, shift_id, person)
        if mine is None:
            raise NotFound
        if not mine.offered:
            now = clock.now()
            await SignUp.update({SignUp.offered_at: now}).where(
                (SignUp.community_id == scope.community_id) & (SignUp.id == mine.id)
            )
            await audit.record(scope, "offer_seat", "shift", shift_id, sign_up_id=mine.id)
            says = phrase("seat_offered", activity=found.activity, at=found.starts_at, station=found.station)
            asked = await people_to_ask(scope, found.activity_id, shift_id)
            # Once a day for each shift: who offers and takes back again and again writes to nobody twice.
            key = f"shift:{shift_id}:offered:{mine.id}:{clock.local_day(now)}"
            to_send = [Notification(each, says, key, shift_id) for each in asked if not scope.is_own(each)]
            await notify_many(scope, to_send, urgent=is_soon(found.starts_at))
    return SeatOut(seat=mine.id, shift_id=shift_id, person_id=person, offered=True)


@retried
async def take_over(scope: Scope, shift_id: UUID, person_id: UUID | None = None) -> SeatOut:
    """Take a seat of the shift that is on offer, the one offered first; its holder is notified.

    Who has offered the own seat keeps it by this. Who has a seat already keeps that one. Raises SeatTaken where none is
    on offer any more, ShiftOver, AdultsOnly, NotFound.
    """
    person = own_resident(scope, person_id)
    async with transaction(scope):
        first = await _first_offered(scope, shift_id, person)
        locked = {person, first.person_id} if first else {person}
        await lock_people(scope, locked)
        await require_adult(scope, person)
        found = await _locked(scope, shift_id)
        mine = await _own_seat(scope, shift_id, person)
        if mine is not None:
            if mine.offered:
                await _keep(scope, shift_id, mine)
            return SeatOut(seat=mine.id, shift_id=shift_id, person_id=person)
        offered = await _first_offered(scope, shift_id, person)
        if offered is None:
            raise SeatTaken
        require_locked(offered.person_id, locked)
        seat = await _hand_on(scope, shift_id, offered, person, found)
    return SeatOut(seat=seat, shift_id=shift_id, person_id=person)


async def _keep(scope: Scope, shift_id: UUID, mine: _Seat) -> None:
    await SignUp.update({SignUp.offered_at: None}).where(
        (SignUp.community_id == scope.community_id) & (SignUp.id == mine.id)
    )
    await audit.record(scope, "keep_seat", "shift", shift_id, sign_up_id=mine.id)


async def _hand_on(scope: Scope, shift_id: UUID, offered: _Seat, person_id: UUID, found: _Offered) -> UUID:
    """Give the seat to the person; it stays taken. The new holder leads only as a leader of the team."""
    now = clock.now()
    await SignUp.update({SignUp.cancelled_at: now, SignUp.offered_at: None, SignUp.leads: False}).where(
        (SignUp.community_id == scope.community_id) & (SignUp.id == offered.id)
    )
    seat: UUID = await database.fetch_value(
        "INSERT INTO sign_up AS u (community_id, id, shift_id, person_id, created_at, leads) "  # noqa: S608  # no input
        f"VALUES ($1, $2, $3, $4, $5, {is_led_by('$1', '$6', '$4')}) "
        "ON CONFLICT (community_id, shift_id, person_id) DO UPDATE SET cancelled_at = NULL, created_at = $5, "
        "stands = false, leads = excluded.leads RETURNING u.id",
        scope.community_id, clock.new_id(), shift_id, person_id, now, found.activity_id,
    )  # fmt: skip
    await audit.record(scope, "take_over", "shift", shift_id, about_id=offered.person_id, sign_up_id=seat)
    name = await database.fetch_value(
        "SELECT name FROM person WHERE community_id = $1 AND id = $2", scope.community_id, person_id
    )
    await notify(
        scope, offered.person_id, "seat_taken_over", f"sign_up:{offered.id}:taken:{clock.new_id()}", shift_id,
        urgent=is_soon(found.starts_at), who=names.masked(name), activity=found.activity, at=found.starts_at,
    )  # fmt: skip
    return UUID(bytes=seat.bytes)


async def _locked(scope: Scope, shift_id: UUID) -> _Offered:
    """The shift under its row lock, which makes take-overs wait for each other. Raises ShiftOver, NotFound."""
    found = await database.row(
        _Offered,
        "SELECT s.activity_id, a.name AS activity, t.name AS station, s.starts_at, "
        "s.cancelled_at IS NOT NULL AS cancelled FROM shift s "
        "JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
        "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
        "WHERE s.community_id = $1 AND s.id = $2 FOR NO KEY UPDATE OF s",
        scope.community_id, shift_id,
    )  # fmt: skip
    if found is None:
        raise NotFound
    if found.cancelled or found.starts_at <= clock.now():
        raise ShiftOver
    return found


async def _own_seat(scope: Scope, shift_id: UUID, person_id: UUID) -> _Seat | None:
    return await database.row(_Seat, f"{_SEATS} AND person_id = $3", scope.community_id, shift_id, person_id)


async def _first_offered(scope: Scope, shift_id: UUID, person_id: UUID) -> _Seat | None:
    """The seat of somebody else that was offered first."""
    return await database.row(
        _Seat,
        f"{_SEATS} AND person_id <> $3 AND offered_at IS NOT NULL ORDER BY offered_at, id LIMIT 1",
        scope.community_id, shift_id, person_id,
    )  # fmt: skip
