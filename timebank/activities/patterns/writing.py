"""The worker writes the shifts of each pattern 14 days ahead, with the people who stand for them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from timebank.activities.calling_off import call_off_coming
from timebank.activities.patterns.days import PatternRow, coming_days
from timebank.activities.patterns.schemas import BreakIn
from timebank.activities.tables import Shift, SignUp
from timebank.activities.team_of import is_led_by
from timebank.areas.workdays import workdays_of
from timebank.core import audit, clock, database
from timebank.core.database import retried, transaction
from timebank.core.scope import Scope
from timebank.core.wording import phrase
from timebank.people.identity.ages import ADULT_FROM, is_younger
from timebank.people.locks import lock_people


class _Stands(msgspec.Struct, frozen=True):
    """Somebody who stands for a day of the week; `leads`: a leader of the activity's team."""

    person_id: UUID
    weekday: int
    leads: bool


class _Written(msgspec.Struct, frozen=True):
    id: UUID
    starts_at: datetime
    cancelled: bool


ROW = (
    "SELECT p.id, p.activity_id, p.station_id, p.weekdays, p.days, p.starts_at, p.ends_at, p.seats, p.starts_on, "
    "p.ends_on FROM shift_pattern p WHERE p.community_id = $1 AND p.id = $2 AND p.ended_at IS NULL "
    "FOR NO KEY UPDATE OF p"
)


async def write_shifts(scope: Scope) -> int:
    """The worker's job: write what is missing of every pattern's shifts; returns how many were written.

    It may be repeated, and two processes may run it at once: a pattern that another one holds is left to that one.
    """
    async with transaction(scope):
        found = await database.fetch(
            "SELECT id FROM shift_pattern WHERE community_id = $1 AND ended_at IS NULL ORDER BY id",
            scope.community_id,
        )
    return sum([await write_pattern(scope, UUID(bytes=row["id"].bytes), skip_locked=True) for row in found])


@retried
async def write_pattern(scope: Scope, pattern_id: UUID, *, skip_locked: bool = False) -> int:
    """Write what is missing of a pattern's shifts until 14 days from now, and call off what it no longer has.

    A shift is called off where its day has become a holiday or a break, and those who signed up are notified. A shift
    that somebody has called off is not written again.
    """
    async with transaction(scope):
        known = await _standing(scope, pattern_id)
        await lock_people(scope, {each.person_id for each in known})
        pattern = await database.row(PatternRow, ROW + " SKIP LOCKED" * skip_locked, scope.community_id, pattern_id)
        if pattern is None:
            return 0
        pattern = msgspec.structs.replace(pattern, breaks=await breaks_of(scope, pattern_id))
        now, today = clock.now(), clock.local_day()
        days = coming_days(pattern, today, await workdays_of(scope, today))
        wanted = {begin: end for begin, end in map(pattern.span, days) if begin > now}
        there = await database.rows(
            _Written,
            "SELECT id, starts_at, cancelled_at IS NOT NULL AS cancelled FROM shift "
            "WHERE community_id = $1 AND pattern_id = $2 AND starts_at > $3 ORDER BY starts_at",
            scope.community_id, pattern_id, now,
        )  # fmt: skip
        gone = [each.id for each in there if not each.cancelled and each.starts_at not in wanted]
        if gone:
            await call_off_coming(scope, phrase("shift_day_off"), shift_ids=gone)
        missing = sorted(wanted.keys() - {each.starts_at for each in there})
        locked = {each.person_id for each in known}
        stands = [each for each in await _standing(scope, pattern_id) if each.person_id in locked]
        for begin in missing:
            _queue_shift(scope, pattern, begin, wanted[begin], stands)
        if missing:
            await audit.record(scope, "write_shifts", "shift_pattern", pattern_id, count=len(missing))
    return len(missing)


def _queue_shift(
    scope: Scope, pattern: PatternRow, begin: datetime, end: datetime, stands: Sequence[_Stands]
) -> None:  # fmt: skip
    """Queue one shift; who has stood longest for the day gets a seat first."""
    shift_id, now, weekday = clock.new_id(), clock.now(), clock.local(begin).isoweekday()
    seated = [each for each in stands if each.weekday == weekday][: pattern.seats]
    rows = [
        database.insert(
            Shift(
                community_id=scope.community_id, id=shift_id, activity_id=pattern.activity_id,
                station_id=pattern.station_id, starts_at=begin, ends_at=end, seats=pattern.seats,
                seats_taken=len(seated), created_at=now, cancelled_at=None, pattern_id=pattern.id,
            )
        )
    ]  # fmt: skip
    rows += [
        database.insert(
            SignUp(
                community_id=scope.community_id, id=clock.new_id(), shift_id=shift_id, person_id=each.person_id,
                created_at=now, cancelled_at=None, leads=each.leads, stands=True, offered_at=None,
            )
        )
        for each in seated
    ]  # fmt: skip
    for row in rows:
        database.queue(row)


async def breaks_of(scope: Scope, pattern_id: UUID) -> list[BreakIn]:
    return await database.rows(
        BreakIn,
        "SELECT starts_on, ends_on FROM pattern_break WHERE community_id = $1 AND pattern_id = $2 ORDER BY starts_on",
        scope.community_id, pattern_id,
    )  # fmt: skip


async def _standing(scope: Scope, pattern_id: UUID) -> list[_Stands]:
    """The active adults who stand for the pattern, those who began first before the others."""
    return await database.rows(
        _Stands,
        "SELECT t.person_id, t.weekday, "  # noqa: S608  # own columns
        f"{is_led_by('$1', 'p.activity_id', 't.person_id')} AS leads "
        "FROM standing t JOIN shift_pattern p ON p.community_id = t.community_id AND p.id = t.pattern_id "
        "JOIN person w ON w.community_id = t.community_id AND w.id = t.person_id AND w.status = 'active' "
        f"AND {is_younger(ADULT_FROM, 'w.born_on', '$3')} IS NOT TRUE "
        "WHERE t.community_id = $1 AND t.pattern_id = $2 ORDER BY t.created_at, t.id",
        scope.community_id, pattern_id, clock.local_day(),
    )  # fmt: skip
