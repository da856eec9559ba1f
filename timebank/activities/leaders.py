"""Leaders of shifts: at a place without a screen they show its code on their own phone while the shift runs."""

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from timebank.activities.shifts import ShiftOver, shift
from timebank.activities.tables import SignUp
from timebank.agreements.independence import is_near_home, signed_on
from timebank.core import audit, clock, database, names
from timebank.core.database import most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.people.identity.ages import is_minor
from timebank.people.messages import notify

AROUND = timedelta(minutes=15)
"""From so long before its begin until so long after its end, a shift's leader sees the code."""
SEATED_MAX = 300


class ShiftCodeClosed(TimebankError):
    code = "shift_code_closed"
    status = 409
    sentence = (
        "带队的签到码从开始前 15 分钟到结束后 15 分钟在没有屏幕的地方显示。现在请到驿站的屏幕扫码，或到时再打开。"
    )


class OwnLeader(TimebankError):
    code = "own_leader"
    status = 403
    sentence = "不能让自己、同户家人或自己监护的人带队。请另一位站长或社区管理员来定。"


class LedShift(msgspec.Struct, frozen=True, kw_only=True):
    """A shift that the caller leads."""

    id: UUID
    station_id: UUID
    station: str
    activity: str
    starts_at: datetime
    ends_at: datetime

    @property
    def opens_at(self) -> datetime:
        """From when its code is shown."""
        return self.starts_at - AROUND


_LEADS = (
    "SELECT s.id, s.station_id, t.name AS station, a.name AS activity, s.starts_at, s.ends_at FROM sign_up u "
    "JOIN shift s ON s.community_id = u.community_id AND s.id = u.shift_id "
    "JOIN station t ON t.community_id = s.community_id AND t.id = s.station_id "
    "JOIN activity a ON a.community_id = s.community_id AND a.id = s.activity_id "
    "WHERE u.community_id = $1 AND u.person_id = ANY ($2) AND u.leads AND u.cancelled_at IS NULL "
    "AND s.cancelled_at IS NULL AND t.active"
)
_LED = (
    f"{_LEADS} AND s.starts_at <= $3 AND s.ends_at >= $4 "
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


async def led_shift(scope: Scope, shift_id: UUID) -> LedShift:
    """A shift that the caller leads, at any time. Raises NotFound for any other."""
    found = None
    if scope.stood_for:
        async with transaction(scope):
            found = await database.row(
                LedShift,
                f"{_LEADS} AND s.id = $3",
                scope.community_id, scope.stood_for, shift_id,
            )  # fmt: skip
    if found is None:
        raise NotFound
    return found


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


class Seated(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has signed up for a shift; the name of a minor is masked."""

    person_id: UUID
    name: str
    born_on: date | None
    leads: bool
    offered: bool
    stands: bool


async def people_of_shift(scope: Scope, shift_id: UUID) -> list[Seated]:
    """Who has signed up for a shift, leaders first; for keepers of the station, administrators and auditors."""
    async with transaction(scope):
        found = await shift(scope, shift_id)
        if not scope.reads_all:
            scope.require_keeper(found.station_id)
        people = await database.rows(
            Seated,
            "SELECT u.person_id, p.name, p.born_on, u.leads, u.stands, u.offered_at IS NOT NULL AS offered "  # noqa: S608  # own columns
            "FROM sign_up u JOIN person p ON p.community_id = u.community_id AND p.id = u.person_id "
            "WHERE u.community_id = $1 AND u.shift_id = $2 AND u.cancelled_at IS NULL "
            f"ORDER BY u.leads DESC, p.pinyin, p.id LIMIT {most(SEATED_MAX)}",
            scope.community_id, shift_id,
        )  # fmt: skip
    return [
        msgspec.structs.replace(each, name=names.masked(each.name)) if each.born_on and is_minor(each.born_on) else each
        for each in people
    ]
