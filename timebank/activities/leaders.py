"""Leaders of shifts: at a place without a screen they show its code on their own phone while the shift runs."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from timebank.activities.shifts import ShiftOver, shift
from timebank.activities.tables import SignUp
from timebank.agreements.independence import is_near_home, signed_on
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.people.messages import notify

AROUND = timedelta(minutes=15)
"""From so long before its begin until so long after its end, a shift's leader sees the code."""


class OwnLeader(TimebankError):
    code = "own_leader"
    status = 403
    sentence = "不能让自己、同户家人或自己监护的人带队。请另一位站长或社区管理员来定。"


class LedShift(msgspec.Struct, frozen=True, kw_only=True):
    """A shift that the caller leads now, at a place without a screen."""

    id: UUID
    station_id: UUID
    station: str
    activity: str
    ends_at: datetime


_LED = (
    "SELECT s.id, s.station_id, t.name AS station, a.name AS activity, s.ends_at FROM sign_up u "
    "JOIN shift s ON s.community_id = u.community_id AND s.id = u.shift_id "
    "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
    "JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
    "WHERE u.community_id = $1 AND u.person_id = ANY ($2) AND u.leads AND u.cancelled_at IS NULL "
    "AND s.cancelled_at IS NULL AND s.starts_at <= $3 AND s.ends_at >= $4 AND t.active "
    "AND (t.kind = 'gate' OR NOT EXISTS (SELECT FROM device d WHERE d.community_id = t.community_id "
    "AND d.station_id = t.id AND d.kind = 'display' AND d.revoked_at IS NULL))"
)


async def led_shifts(scope: Scope, moment: datetime, station_id: UUID | None = None) -> list[LedShift]:
    """The shifts whose code the caller may show at this moment, of a station or of all, the earliest first.

    A device shows none by it: it is the leader's own phone that does.
    """
    if not scope.stood_for:
        return []
    where = " AND s.station_id = $5" if station_id else ""
    given = (scope.community_id, scope.stood_for, moment + AROUND, moment - AROUND)
    async with transaction(scope):
        return await database.rows(
            LedShift, f"{_LED}{where} ORDER BY s.starts_at, s.id", *given, *([station_id] if station_id else [])
        )


async def shift_led_at(scope: Scope, station_id: UUID, moment: datetime) -> UUID | None:
    """The shift at this station whose code the caller may show at this moment; None where there is none."""
    found = await led_shifts(scope, moment, station_id)
    return found[0].id if found else None


@retried
async def name_shift_leader(scope: Scope, shift_id: UUID, person_id: UUID, *, leads: bool = True) -> None:
    """Let somebody who has signed up lead the shift, or no longer, and notify the person. It may be repeated.

    By a keeper of the station or an administrator, never for themselves or their family. Raises OwnLeader, ShiftOver,
    NotFound.
    """
    async with transaction(scope):
        found = await shift(scope, shift_id)
        scope.require_keeper(found.station_id)
        if found.cancelled or found.ends_at <= clock.now():
            raise ShiftOver
        if leads and not scope.system and await is_near_home(signed_on(scope), person_id):
            raise OwnLeader
        seat = await database.fetch_one(
            "SELECT u.id, u.leads, a.name AS activity, t.name AS station FROM sign_up u "
            "JOIN shift s ON s.community_id = u.community_id AND s.id = u.shift_id "
            "JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
            "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
            "WHERE u.community_id = $1 AND u.shift_id = $2 AND u.person_id = $3 AND u.cancelled_at IS NULL "
            "FOR NO KEY UPDATE OF u",
            scope.community_id, shift_id, person_id,
        )  # fmt: skip
        if seat is None:
            raise NotFound
        if seat["leads"] == leads:
            return
        await SignUp.update({SignUp.leads: leads}).where(
            (SignUp.community_id == scope.community_id) & (SignUp.id == UUID(bytes=seat["id"].bytes))
        )
        await audit.record(scope, "name_shift_leader", "shift", shift_id, about_id=person_id, leads=leads)
        kind = "shift_leader" if leads else "shift_leader.ended"
        await notify(
            scope, person_id, kind, f"shift:{shift_id}:leader:{clock.new_id()}", shift_id, activity=seat["activity"],
            at=found.starts_at, station=seat["station"],
        )  # fmt: skip
