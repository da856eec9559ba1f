"""Patterns of shifts: adding one, its breaks, ending it, and the list of them."""

from datetime import date, time
from typing import Any
from uuid import UUID

import msgspec

from timebank.activities.calling_off import call_off_coming
from timebank.activities.offers import activity
from timebank.activities.patterns.schemas import BreakIn, PatternIn, PatternOut
from timebank.activities.patterns.writing import write_pattern
from timebank.activities.tables import PatternBreak, ShiftPattern
from timebank.core import audit, clock, database
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.paging import Page, make_page, read_cursor
from timebank.core.scope import Scope
from timebank.core.wording import phrase

BREAKS_MAX = 60


class PatternTerm(TimebankError):
    code = "pattern_term"
    status = 422
    sentence = "最后一天不能早于第一天。请改一下日期。"
    constraint = ("shift_pattern_term", "pattern_break_order")


class PatternTimes(TimebankError):
    code = "pattern_times"
    status = 422
    sentence = "开始和结束不能是同一时刻。过夜的班，结束时间写第二天的钟点。"
    constraint = "shift_pattern_length"


class PatternSeats(TimebankError):
    code = "pattern_seats"
    status = 422
    sentence = "最少人数不能多于名额。请改一下。"
    constraint = "shift_pattern_seats"


class PatternExists(TimebankError):
    code = "pattern_exists"
    status = 409
    sentence = "这个活动已经有同样日子、同样时间的固定班次。请先结束原来的，或换个时间。"
    constraint = "shift_pattern_once"


class PatternActivityEnded(TimebankError):
    code = "activity_over"
    status = 409
    sentence = "这个活动已经结束，不能再排班。请先在活动里勾上“进行中”。"


class TooManyBreaks(TimebankError):
    code = "too_many_breaks"
    status = 422
    sentence = "一个固定班次最多记 {most} 段停班的日子。请合并几段再试。"


_SHOWN = (
    "p.id, p.activity_id, p.station_id, p.weekdays, p.days, to_char(p.starts_at, 'HH24:MI') AS starts_at, "
    "to_char(p.ends_at, 'HH24:MI') AS ends_at, p.seats, p.seats_min, p.starts_on, p.ends_on, "
    "p.ended_at IS NOT NULL AS ended, "
    "coalesce((SELECT json_agg(json_build_object('starts_on', b.starts_on, 'ends_on', b.ends_on) ORDER BY b.starts_on) "
    "FROM pattern_break b WHERE b.community_id = p.community_id AND b.pattern_id = p.id), '[]')::text AS breaks, "
    "coalesce((SELECT array_agg(t.weekday ORDER BY t.weekday) FROM standing t WHERE t.community_id = p.community_id "
    "AND t.pattern_id = p.id AND t.person_id = $2), '{}') AS stands"
)


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern as the database answers it: its breaks as JSON."""

    id: UUID
    activity_id: UUID
    station_id: UUID
    weekdays: list[int]
    days: str
    starts_at: str
    ends_at: str
    seats: int
    seats_min: int
    starts_on: date
    ends_on: date | None
    ended: bool
    breaks: str
    stands: list[int]

    def shown(self) -> PatternOut:
        given: dict[str, Any] = msgspec.structs.asdict(self)
        given["breaks"] = msgspec.json.decode(self.breaks, type=list[BreakIn])
        return PatternOut(**given)


async def shift_pattern(scope: Scope, pattern_id: UUID) -> PatternOut:
    async with transaction(scope):
        found = await database.row(
            _Stored,
            f"SELECT {_SHOWN} FROM shift_pattern p WHERE p.community_id = $1 AND p.id = $3",  # noqa: S608  # own columns
            scope.community_id, scope.person_id, pattern_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    return found.shown()


async def shift_patterns(
    scope: Scope, activity_id: UUID | None = None, *, limit: int = 50, cursor: str | None = None
) -> Page[PatternOut]:
    """The patterns that have not ended, of an activity or of all, the oldest first."""
    asked = Filters(scope.community_id, scope.person_id)
    asked.add_given("p.activity_id = {}", activity_id)
    asked.add_after("p.id", ">", read_cursor(cursor, tuple[UUID]))
    async with transaction(scope):
        found = await database.rows(
            _Stored,
            f"SELECT {_SHOWN} FROM shift_pattern p WHERE p.community_id = $1 AND p.ended_at IS NULL{asked.sql} "  # noqa: S608  # own columns
            f"ORDER BY p.id LIMIT {most(limit + 1)}",
            *asked.values,
        )
    listed = make_page(found, limit, lambda p: (p.id,))
    return Page([each.shown() for each in listed.items], listed.next)


@retried
async def add_pattern(scope: Scope, wanted: PatternIn) -> PatternOut:
    """Add a pattern, and write its shifts of the next 14 days at once.

    Raises PatternExists, PatternTerm, PatternTimes, PatternSeats, PatternActivityEnded.
    """
    scope.require_keeper(wanted.station_id)
    pattern_id, starts_on = clock.new_id(), wanted.starts_on or clock.local_day()
    if wanted.ends_on is not None and wanted.ends_on < starts_on:
        raise PatternTerm
    if wanted.seats_min > wanted.seats:
        raise PatternSeats
    if wanted.starts_at == wanted.ends_at:
        raise PatternTimes
    async with transaction(scope):
        if not (await activity(scope, wanted.activity_id)).active:
            raise PatternActivityEnded
        await ShiftPattern.insert(
            ShiftPattern(
                community_id=scope.community_id, id=pattern_id, activity_id=wanted.activity_id,
                station_id=wanted.station_id, weekdays=sorted(set(wanted.weekdays)), days=wanted.days,
                starts_at=time.fromisoformat(wanted.starts_at), ends_at=time.fromisoformat(wanted.ends_at),
                seats=wanted.seats, seats_min=wanted.seats_min, starts_on=starts_on, ends_on=wanted.ends_on,
                ended_at=None, created_at=clock.now(),
            )
        )  # fmt: skip
        for each in dict.fromkeys(wanted.breaks):
            await _write_break(scope, pattern_id, each)
        await audit.record(
            scope, "add_pattern", "shift_pattern", pattern_id, activity_id=wanted.activity_id, seats=wanted.seats
        )
        await write_pattern(scope, pattern_id)
        return await shift_pattern(scope, pattern_id)


@retried
async def add_break(scope: Scope, pattern_id: UUID, wanted: BreakIn) -> PatternOut:
    """Add days without shifts; shifts that are written already are called off, and who signed up is notified.

    The same days again change nothing. Raises PatternTerm, TooManyBreaks, NotFound.
    """
    async with transaction(scope):
        found = await _open_pattern(scope, pattern_id)
        if wanted in found.breaks:
            return found
        if len(found.breaks) >= BREAKS_MAX:
            raise TooManyBreaks(most=BREAKS_MAX)
        await _write_break(scope, pattern_id, wanted)
        await audit.record(scope, "add_break", "shift_pattern", pattern_id, first=wanted.starts_on, last=wanted.ends_on)
        await write_pattern(scope, pattern_id)
        return await shift_pattern(scope, pattern_id)


@retried
async def end_pattern(scope: Scope, pattern_id: UUID) -> None:
    """End a pattern: its coming shifts are called off, and who signed up is notified. A repetition changes nothing."""
    async with transaction(scope):
        found = await shift_pattern(scope, pattern_id)
        scope.require_keeper(found.station_id)
        if found.ended:
            return
        await _end(scope, [pattern_id])
        name = (await activity(scope, found.activity_id)).name
        await call_off_coming(scope, phrase("pattern_ended", activity=name), pattern_id=pattern_id)


async def end_patterns(scope: Scope, *, activity_id: UUID | None = None, station_id: UUID | None = None) -> None:
    """End every pattern of an activity or at a station, in the caller's transaction. It calls their shifts off."""
    asked = Filters(scope.community_id)
    asked.add_given("activity_id = {}", activity_id)
    asked.add_given("station_id = {}", station_id)
    found = await database.fetch(
        f"SELECT id FROM shift_pattern WHERE community_id = $1 AND ended_at IS NULL{asked.sql} "  # noqa: S608  # own columns
        "ORDER BY id FOR NO KEY UPDATE",
        *asked.values,
    )
    await _end(scope, [UUID(bytes=row["id"].bytes) for row in found])


async def _end(scope: Scope, pattern_ids: list[UUID]) -> None:
    for pattern_id in pattern_ids:
        await ShiftPattern.update({ShiftPattern.ended_at: clock.now()}).where(
            (ShiftPattern.community_id == scope.community_id) & (ShiftPattern.id == pattern_id)
        )
        await audit.record(scope, "end_pattern", "shift_pattern", pattern_id)


async def _open_pattern(scope: Scope, pattern_id: UUID) -> PatternOut:
    """A pattern that has not ended, under its row lock, for who may change it."""
    await database.execute(
        "SELECT FROM shift_pattern WHERE community_id = $1 AND id = $2 FOR NO KEY UPDATE",
        scope.community_id, pattern_id,
    )  # fmt: skip
    found = await shift_pattern(scope, pattern_id)
    scope.require_keeper(found.station_id)
    if found.ended:
        raise NotFound
    return found


async def _write_break(scope: Scope, pattern_id: UUID, wanted: BreakIn) -> None:
    if wanted.ends_on < wanted.starts_on:
        raise PatternTerm
    await PatternBreak.insert(
        PatternBreak(
            community_id=scope.community_id, id=clock.new_id(), pattern_id=pattern_id, starts_on=wanted.starts_on,
            ends_on=wanted.ends_on,
        )
    )  # fmt: skip
