"""Standing sign-ups: who takes every shift of a pattern on a day of the week, until they end it."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from timebank.activities.patterns.schemas import StandingOut, days_of_week
from timebank.activities.seats import free_seats, take_seat
from timebank.activities.tables import Shift, SignUp
from timebank.activities.team_of import is_led_by
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.errors import Forbidden, NotFound, TimebankError
from timebank.core.scope import Scope
from timebank.people.identity.ages import ADULT_FROM, age_on
from timebank.people.locks import lock_people


class AdultsOnly(TimebankError):
    code = "adults_only"
    status = 403
    sentence = "固定班和替班只给满 18 岁的人，而且只能自己报。"


class NoSuchWeekday(TimebankError):
    code = "no_such_weekday"
    status = 422
    sentence = "这个固定班次在那一天没有班。请从它有班的星期里选。"


class _Pattern(msgspec.Struct, frozen=True):
    weekdays: list[int]
    days: str
    activity_id: UUID


class _Coming(msgspec.Struct, frozen=True):
    """A coming shift, with the caller's sign-up of it."""

    id: UUID
    starts_at: datetime
    sign_up_id: UUID | None
    stands: bool


async def require_adult(scope: Scope, person_id: UUID) -> None:
    """Raise AdultsOnly for a resident under 18. The caller has locked the person."""
    born: date | None = await database.fetch_value(
        "SELECT born_on FROM person WHERE community_id = $1 AND id = $2", scope.community_id, person_id
    )
    if born is not None and age_on(born, clock.local_day()) < ADULT_FROM:
        raise AdultsOnly


def own_resident(scope: Scope, person_id: UUID | None) -> UUID:
    """The own record that the caller acts for. Raises Forbidden for anybody else's: nobody puts another one there."""
    person = person_id or scope.require_self()
    if not scope.stands_for(person):
        raise Forbidden
    return person


@retried
async def stand(scope: Scope, pattern_id: UUID, weekday: int, person_id: UUID | None = None) -> StandingOut:
    """Take every shift of the pattern on this day of the week, while there are seats; a repetition changes nothing.

    Shifts that are written already are taken at once, except those that the person has withdrawn from. Only for
    oneself. Raises AdultsOnly, NoSuchWeekday, NotFound.
    """
    person = own_resident(scope, person_id)
    async with transaction(scope):
        await lock_people(scope, [person])
        await require_adult(scope, person)
        pattern = await _locked(scope, pattern_id)
        if pattern is None:
            raise NotFound
        if weekday not in days_of_week(pattern.weekdays, pattern.days):
            raise NoSuchWeekday
        added = await database.execute(
            "INSERT INTO standing (community_id, id, pattern_id, person_id, weekday, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (community_id, pattern_id, weekday, person_id) DO NOTHING",
            scope.community_id, clock.new_id(), pattern_id, person, weekday, clock.now(),
        )  # fmt: skip
        taken = 0
        if added == "INSERT 0 1":
            for each in await _coming(scope, pattern_id, person, weekday):
                if each.sign_up_id is None and await take_seat(scope, Shift, each.id):
                    await _sign_up(scope, each.id, person, pattern.activity_id)
                    taken += 1
            await audit.record(scope, "stand", "shift_pattern", pattern_id, weekday=weekday, count=taken)
    return StandingOut(pattern_id=pattern_id, person_id=person, weekday=weekday, signed_up=taken)


@retried
async def stop_standing(scope: Scope, pattern_id: UUID, weekday: int, person_id: UUID | None = None) -> None:
    """End standing for a day of the week, at once: the coming seats that it took are free again.

    A repetition changes nothing. Raises NotFound for a pattern that is not there.
    """
    person = own_resident(scope, person_id)
    async with transaction(scope):
        await lock_people(scope, [person])
        if await _locked(scope, pattern_id, ended=True) is None:
            raise NotFound
        gone = await database.execute(
            "DELETE FROM standing WHERE community_id = $1 AND pattern_id = $2 AND weekday = $3 AND person_id = $4",
            scope.community_id, pattern_id, weekday, person,
        )  # fmt: skip
        if gone == "DELETE 0":
            return
        freed = [each for each in await _coming(scope, pattern_id, person, weekday) if each.stands]
        for each in freed:
            await SignUp.update({SignUp.cancelled_at: clock.now(), SignUp.offered_at: None, SignUp.leads: False}).where(
                (SignUp.community_id == scope.community_id) & (SignUp.id == each.sign_up_id)
            )
            await free_seats(scope, Shift, each.id)
        await audit.record(scope, "stop_standing", "shift_pattern", pattern_id, weekday=weekday, count=len(freed))


async def _locked(scope: Scope, pattern_id: UUID, *, ended: bool = False) -> _Pattern | None:
    """The pattern under its row lock, so that the worker writes no shift of it meanwhile."""
    return await database.row(
        _Pattern,
        "SELECT weekdays, days, activity_id FROM shift_pattern WHERE community_id = $1 AND id = $2 "
        "AND (ended_at IS NULL OR $3) FOR NO KEY UPDATE",
        scope.community_id, pattern_id, ended,
    )  # fmt: skip


async def _coming(scope: Scope, pattern_id: UUID, person_id: UUID, weekday: int) -> list[_Coming]:
    """The pattern's coming shifts of this day of the week, under their row locks, with the person's sign-ups."""
    found = await database.rows(
        _Coming,
        "SELECT s.id, s.starts_at, u.id AS sign_up_id, coalesce(u.stands AND u.cancelled_at IS NULL, false) AS stands "
        "FROM shift s LEFT JOIN sign_up u ON u.community_id = s.community_id AND u.shift_id = s.id "
        "AND u.community_id = $1 AND u.person_id = $3 WHERE s.community_id = $1 AND s.pattern_id = $2 "
        "AND s.starts_at > $4 AND s.cancelled_at IS NULL ORDER BY s.id FOR NO KEY UPDATE OF s",
        scope.community_id, pattern_id, person_id, clock.now(),
    )  # fmt: skip
    return [each for each in found if clock.local(each.starts_at).isoweekday() == weekday]


async def _sign_up(scope: Scope, shift_id: UUID, person_id: UUID, activity_id: UUID) -> None:
    await database.execute(
        "INSERT INTO sign_up (community_id, id, shift_id, person_id, created_at, stands, leads) "  # noqa: S608  # no input
        f"VALUES ($1, $2, $3, $4, $5, true, {is_led_by('$1', '$6', '$4')})",
        scope.community_id, clock.new_id(), shift_id, person_id, clock.now(), activity_id,
    )  # fmt: skip
