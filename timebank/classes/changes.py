"""Change a course or a lesson, and notify the families that have booked or paid of the old and new values."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from piccolo.columns import Column

from timebank.access.pickup import change_pickups
from timebank.classes import seats
from timebank.classes.courses import (
    TITLELESS,
    costs_less_than_length,
    course,
    record_lone_lesson,
    record_lone_price,
    require_active_station,
    require_length,
    require_term,
)
from timebank.classes.families import notify_family
from timebank.classes.schemas import CourseChange, CourseOut, LessonChange, LessonOut
from timebank.classes.seats import HELD, BookingRow
from timebank.classes.stopping import stop_course
from timebank.classes.tables import Course
from timebank.core import audit, clock, database, names
from timebank.core.database import retried, transaction
from timebank.core.errors import TimebankError
from timebank.core.scope import Scope
from timebank.core.wording import because, dated, phrase
from timebank.people.directory import names_of
from timebank.people.messages import is_soon


class LessonBegun(TimebankError):
    code = "lesson_begun"
    status = 409
    sentence = "这节课已经开始、上完或停课了，不能再改。请另排一节。"


class LessonInPast(TimebankError):
    code = "lesson_in_past"
    sentence = "新的上课时间已经过了。请选以后的时间。"


class LessonBooked(TimebankError):
    code = "lesson_booked"
    status = 409
    sentence = "已经有孩子约了或在候补这节课，用去的课时不能改。可以停掉这一节，另排一节。"


class CourseEndPast(TimebankError):
    code = "course_end_past"
    sentence = "结课日不能早于今天。马上不开了，请用“停开”：没上的课停掉，没用的课时退回积分。"


class CourseEndTooEarly(TimebankError):
    code = "course_end_too_early"
    sentence = "{last}还排着课，结课日不能更早。请先停掉或改期结课日以后的课。"


class SeatsTaken(TimebankError):
    code = "seats_taken"
    status = 409
    sentence = "已经约出 {taken} 个座位，座位数不能比这更少。"


@retried
async def change_course(scope: Scope, course_id: UUID, change: CourseChange) -> CourseOut:
    """Change a course from now on.

    Families with a seat, a waiting booking or unused minutes are notified of a new teacher, place or last day.
    `active` false stops the course, see `stop_course`; `active` true reopens a stopped course, but not the lessons
    that were cancelled. Raises CourseEndPast, CourseEndTooEarly.
    """
    scope.require_admin()
    values: dict[Column | str, Any] = {
        k: v for k, v in msgspec.structs.asdict(change).items() if v is not UNSET and k not in ("active", "reason")
    }
    reason = change.reason or ""
    async with transaction(scope):
        before = await course(scope, course_id)
        if change.ends_on is not UNSET and change.ends_on < before.ends_on:
            await _require_room(scope, course_id, change.ends_on)
        if values:
            await _write(scope, course_id, values)
        after = await course(scope, course_id)
        if after.points_per_hour < before.points_per_hour:
            await record_lone_price(scope, course_id, after.title, after.points_per_hour)
        await _notify_course(scope, before, after, reason)
        if change.active is False and before.active:
            return await stop_course(scope, course_id, reason)
        if change.active is True and not before.active:
            await _write(scope, course_id, {"active": True, "stopped_at": None, "stop_reason": None})
        return await course(scope, course_id)


async def _require_room(scope: Scope, course_id: UUID, ends_on: date) -> None:
    """Refuse a last day in the past, or before a lesson that is not cancelled."""
    if ends_on < clock.local_day():
        raise CourseEndPast
    later: datetime | None = await database.fetch_value(
        "SELECT max(starts_at) FROM lesson WHERE community_id = $1 AND course_id = $2 AND cancelled_at IS NULL "
        "AND starts_at >= $3", scope.community_id, course_id, clock.day_bounds(ends_on)[1],
    )  # fmt: skip
    if later is not None:
        raise CourseEndTooEarly(last=dated(clock.local_day(later)))


async def _write(scope: Scope, course_id: UUID, values: dict[Column | str, Any]) -> None:
    if "title" in values:
        values["title"] = title = names.required(values["title"], TITLELESS)
        values["pinyin"] = names.pinyin(title)
    if "teacher" in values:
        values["teacher"] = names.clean(values["teacher"])
    if "station_id" in values:
        await require_active_station(scope, values["station_id"])
    await Course.update(values).where((Course.community_id == scope.community_id) & (Course.id == course_id))
    told = {str(name): value for name, value in values.items() if name not in ("teacher", "pinyin")}
    await audit.record(scope, "change_course", "course", course_id, **told)


async def _notify_course(scope: Scope, before: CourseOut, after: CourseOut, reason: str) -> None:
    """Notify the families of a new teacher, place or last day; other changes are not notified."""
    news = [
        phrase(f"course_changed_{what}", old=old, new=new)
        for what, old, new in (
            ("teacher", before.teacher, after.teacher),
            ("station", before.station, after.station),
            ("end", before.ends_on, after.ends_on),
        )
        if old != new
    ]
    if after.station_id != before.station_id:
        await _move_codes(scope, after)
    if not news:
        return
    children = await _children_of(scope, after.id)
    key = f"course:{after.id}:changed:{clock.new_id()}"
    for child_id in children:
        await notify_family(
            scope, child_id, "course_changed", key, after.id, course=before.title, news=news, why=because(reason)
        )


async def _move_codes(scope: Scope, moved: CourseOut) -> None:
    """Let the codes of the course's booked seats be shown at its new place."""
    held = await database.fetch(
        "SELECT b.id FROM booking b JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id "
        "WHERE b.community_id = $1 AND l.course_id = $2 AND l.ends_at > $3 AND b.status = 'held'",
        scope.community_id, moved.id, clock.now(),
    )  # fmt: skip
    await change_pickups(scope, seats.NOUN, [row["id"] for row in held], station_id=moved.station_id)


async def _children_of(scope: Scope, course_id: UUID) -> list[UUID]:
    """The children with a seat or a waiting booking in a lesson that has not ended, or with unused minutes."""
    found = await database.fetch(
        "SELECT b.child_id FROM booking b "
        "JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id "
        "WHERE b.community_id = $1 AND l.course_id = $2 AND l.ends_at > $3 AND b.status IN ('held', 'waiting') "
        "UNION SELECT a.owner_id FROM account a WHERE a.community_id = $1 "
        "AND a.subject_id = $2 AND a.owner_kind = 'person' AND a.currency = 'class_minute' "
        "AND a.bucket = 'available' AND a.balance > 0 ORDER BY 1",
        scope.community_id, course_id, clock.now(),
    )  # fmt: skip
    return [UUID(bytes=row["child_id"].bytes) for row in found]


@retried
async def change_lesson(scope: Scope, lesson_id: UUID, change: LessonChange) -> LessonOut:
    """Reschedule a coming lesson, or change its seats or minutes. The caller keeps the station or administers.

    A rescheduled lesson keeps its bookings; every family is notified of the old and new time and may cancel until the
    lesson begins. Raises LessonBegun, LessonInPast, LessonLength, LessonOutsideTerm, LessonExists, LessonBooked,
    SeatsTaken.
    """
    async with transaction(scope):
        before = await seats.locked_lesson(scope, lesson_id)
        scope.require_keeper(before.station_id)
        if before.cancelled_at is not None or before.starts_at <= clock.now():
            raise LessonBegun
        starts_at, ends_at = _times(before, change)
        moved = (starts_at, ends_at) != (before.starts_at, before.ends_at)
        if moved:
            require_length(starts_at, ends_at)
            require_term(await course(scope, before.course_id), starts_at)
            if starts_at <= clock.now():
                raise LessonInPast
        minutes, places = _seats(before, change)
        await database.execute(
            "UPDATE lesson SET starts_at = $3, ends_at = $4, minutes = $5, seats = $6, "
            "moved_at = CASE WHEN $7 THEN $8 ELSE moved_at END WHERE community_id = $1 AND id = $2",
            scope.community_id, lesson_id, starts_at, ends_at, minutes, places, moved, clock.now(),
        )  # fmt: skip
        reason = change.reason or ""
        await audit.record(
            scope, "change_lesson", "lesson", lesson_id, reason=reason or None, starts_at=starts_at, ends_at=ends_at,
            minutes=minutes, seats=places,
        )  # fmt: skip
        if moved:
            await _notify_moved(scope, before, starts_at, ends_at, reason)
        after = await seats.locked_lesson(scope, lesson_id)
        if costs_less_than_length(after, before):
            await record_lone_lesson(scope, after)
        if places > before.seats:
            await seats.fill(scope, lesson_id)
        return await seats.locked_lesson(scope, lesson_id)


def _times(before: LessonOut, change: LessonChange) -> tuple[datetime, datetime]:
    """The new start and end. Without a new end the lesson keeps its length."""
    starts_at = before.starts_at if change.starts_at is UNSET else change.starts_at
    if change.ends_at is not UNSET:
        return starts_at, change.ends_at
    return starts_at, starts_at + (before.ends_at - before.starts_at)


def _seats(before: LessonOut, change: LessonChange) -> tuple[int, int]:
    taken = before.seats - before.seats_free
    minutes = before.minutes if change.minutes is UNSET else change.minutes
    places = before.seats if change.seats is UNSET else change.seats
    if minutes != before.minutes and (taken or before.waiting):
        raise LessonBooked
    if places < taken:
        raise SeatsTaken(taken=taken)
    return minutes, places


async def _notify_moved(scope: Scope, before: LessonOut, starts_at: datetime, ends_at: datetime, reason: str) -> None:
    bookings = await database.rows(
        BookingRow, HELD + "b.lesson_id = $2 AND b.status IN ('held', 'waiting') ORDER BY b.id",
        scope.community_id, before.id,
    )  # fmt: skip
    await change_pickups(scope, seats.NOUN, [b.id for b in bookings if b.status == "held"], until=ends_at)
    clashes = await _clashes(scope, before.id, [b.child_id for b in bookings], starts_at, ends_at)
    children = await names_of(scope, [b.child_id for b in bookings])
    event = clock.new_id()
    for booking in bookings:
        other = clashes.get(booking.child_id)
        clash = [phrase("lesson_clashes", child=children[booking.child_id], other=other)] if other else []
        await notify_family(
            scope, booking.child_id, "lesson_moved", f"lesson:{before.id}:moved:{event}", booking.id,
            urgent=is_soon(min(starts_at, before.starts_at)), course=before.course,
            old=[before.starts_at, before.ends_at], new=[starts_at, ends_at], more=[*because(reason), *clash],
        )  # fmt: skip


async def _clashes(
    scope: Scope, lesson_id: UUID, children: list[UUID], starts_at: datetime, ends_at: datetime
) -> dict[UUID, str]:
    """By child, the title of a course whose lesson the child has booked or waits for at an overlapping time."""
    found = await database.fetch(
        "SELECT b.child_id, min(c.title) AS course FROM booking b "
        "JOIN lesson l ON l.community_id = b.community_id AND l.id = b.lesson_id "
        "JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id "
        "WHERE b.community_id = $1 AND b.child_id = ANY ($2) AND b.status IN ('held', 'waiting') AND l.id <> $3 "
        "AND l.cancelled_at IS NULL AND l.starts_at < $5 AND l.ends_at > $4 GROUP BY b.child_id",
        scope.community_id, children, lesson_id, starts_at, ends_at,
    )  # fmt: skip
    return {UUID(bytes=row["child_id"].bytes): row["course"] for row in found}
