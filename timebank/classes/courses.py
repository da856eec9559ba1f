"""Courses and their lessons: list, read, add, and check their terms."""

from datetime import date, datetime, timedelta
from uuid import UUID

from timebank.agreements.kinds import Kind
from timebank.agreements.proposing import done_alone
from timebank.classes.schemas import CourseIn, CourseOut, LessonIn, LessonOut
from timebank.classes.tables import Course, Lesson
from timebank.core import audit, clock, database, names
from timebank.core.capability import Hit
from timebank.core.database import Filters, most, retried, transaction
from timebank.core.errors import NotFound, TimebankError
from timebank.core.locale import _
from timebank.core.paging import Count, Page, make_page, read_cursor
from timebank.core.scope import Scope

TITLELESS = _("课程要有名称")


class CourseExists(TimebankError):
    code = "course_exists"
    status = 409
    sentence = "已经有同名、同一天开课的课程了。请改用那一门，或换一个名称。"
    constraint = "course_title_unique"


class CourseAges(TimebankError):
    code = "course_ages"
    sentence = "课程的最小年龄不能大于最大年龄。"
    constraint = "course_ages"


class CourseTerm(TimebankError):
    code = "course_term"
    sentence = "课程的结课日不能早于开课日。"
    constraint = "course_term"


class CourseOver(TimebankError):
    code = "course_over"
    sentence = "《{title}》已经结课或停开了。请选一门正在开的课。"


class LessonExists(TimebankError):
    code = "lesson_exists"
    status = 409
    sentence = "这门课在这个时间已经有一节了。"
    constraint = "lesson_time_unique"


class LessonOutsideTerm(TimebankError):
    code = "lesson_outside_term"
    sentence = "这节课不在课程的起止日期里（{starts_on} 到 {ends_on}）。"


class LessonLength(TimebankError):
    code = "lesson_length"
    sentence = "请写明下课时间或课时分钟数；下课要晚于上课，一节课不超过一天。"


COURSES = (
    "SELECT c.id, c.title, c.age_min, c.age_max, c.starts_on, c.ends_on, c.points_per_hour, c.teacher, c.station_id, "
    "t.name AS station, c.active, c.stopped_at FROM course c "
    "JOIN station t ON t.community_id = c.community_id AND t.id = c.station_id WHERE c.community_id = $1"
)
LESSONS = (
    "SELECT l.id, l.course_id, c.title AS course, c.station_id, t.name AS station, l.starts_at, l.ends_at, l.minutes, "
    "l.seats, l.seats - l.seats_taken AS seats_free, (SELECT count(*) FROM booking b "
    "WHERE b.community_id = l.community_id AND b.lesson_id = l.id AND b.status = 'waiting') AS waiting, "
    "l.cancelled_at FROM lesson l JOIN course c ON c.community_id = l.community_id AND c.id = l.course_id "
    "JOIN station t ON t.community_id = c.community_id AND t.id = c.station_id WHERE l.community_id = $1"
)


async def courses(
    scope: Scope, *, with_ended: bool = False, search: str = "", limit: int = 50, cursor: str | None = None
) -> Page[CourseOut]:
    """The community's courses, latest first day first; without `with_ended` only active ones that have not ended.

    `search` is a part of the title or of the teacher's name.
    """
    asked = _asked_for(scope, with_ended=with_ended, search=search)
    asked.add_after("c.starts_on, c.id", "<", read_cursor(cursor, tuple[date, UUID]))
    latest = f"{COURSES}{asked.sql} ORDER BY c.starts_on DESC, c.id DESC LIMIT {most(limit + 1)}"
    async with transaction(scope):
        found = await database.rows(CourseOut, latest, *asked.values)
    return make_page(found, limit, lambda c: (c.starts_on, c.id))


async def count_courses(scope: Scope, *, with_ended: bool = False, search: str = "") -> Count:
    """How many courses `courses` lists, counted no further than a list says."""
    asked = _asked_for(scope, with_ended=with_ended, search=search)
    async with transaction(scope):
        return await database.count_rows(f"SELECT FROM course c WHERE c.community_id = $1{asked.sql}", *asked.values)


def _asked_for(scope: Scope, *, with_ended: bool, search: str) -> Filters:
    asked = Filters(scope.community_id)
    if search:
        asked.add("(strpos(c.title, {}) > 0 OR strpos(c.teacher, {}) > 0)", search, search)
    if not with_ended:
        asked.add("c.active AND c.ends_on >= {}", clock.local_day())
    return asked


async def courses_found(scope: Scope, words: str, most: int) -> list[Hit]:
    """For the panel's search field: courses by a part of their title or their teacher's name, also ended ones."""
    if not scope.reads_all:
        return []
    found = await courses(scope, with_ended=True, search=words, limit=most + 1)
    return [Hit(each.title, f"/admin/classes/{each.id}", each.teacher) for each in found.items]


async def course(scope: Scope, course_id: UUID) -> CourseOut:
    """One course, also an ended or stopped one. Raises NotFound."""
    async with transaction(scope):
        found = await database.row(CourseOut, COURSES + " AND c.id = $2", scope.community_id, course_id)
    if found is None:
        raise NotFound
    return found


async def require_active_station(scope: Scope, station_id: UUID) -> None:
    """Raise NotFound for a station that is closed or of another community."""
    if not await database.fetch_value(
        "SELECT EXISTS (SELECT FROM station WHERE community_id = $1 AND id = $2 AND active)",
        scope.community_id, station_id,
    ):  # fmt: skip
        raise NotFound


@retried
async def add_course(scope: Scope, wanted: CourseIn) -> CourseOut:
    """Add a course at an active station of the community. Raises NotFound for any other, Invalid without a title."""
    scope.require_admin()
    course_id, title = clock.new_id(), names.required(wanted.title, TITLELESS)
    async with transaction(scope):
        await require_active_station(scope, wanted.station_id)
        await Course.insert(
            Course(
                community_id=scope.community_id, id=course_id, title=title, pinyin=names.pinyin(title),
                age_min=wanted.age_min, age_max=wanted.age_max, starts_on=wanted.starts_on, ends_on=wanted.ends_on,
                points_per_hour=wanted.points_per_hour, teacher=names.clean(wanted.teacher),
                station_id=wanted.station_id, active=True, created_at=clock.now(),
            )
        )  # fmt: skip
        await audit.record(
            scope, "add_course", "course", course_id, title=title, points_per_hour=wanted.points_per_hour,
            station_id=wanted.station_id,
        )  # fmt: skip
        await record_lone_price(scope, course_id, title, wanted.points_per_hour)
        return await course(scope, course_id)


async def record_lone_price(scope: Scope, course_id: UUID, title: str, points_per_hour: int) -> None:
    """Record a course's price as set by one person alone, for a second person to see.

    Until then whoever set it, and their household, cannot use the price.
    """
    if not scope.system:
        await done_alone(scope, COURSE_TERMS, str(course_id), {"course": title, "points": points_per_hour})


COURSE_TERMS = Kind(
    name="course_terms",
    sentence=_("课程《{course}》由一个人定为每 60 分钟 {points} 分"),
    needs="another",
    in_force=True,
)

LESSON_TERMS = Kind(
    name="lesson_terms",
    sentence=_("《{course}》{at} 的一节上 {lasts} 分钟，由一个人定为只用 {minutes} 分钟课时"), needs="another",
    in_force=True,
)  # fmt: skip


@retried
async def add_lesson(scope: Scope, course_id: UUID, wanted: LessonIn) -> LessonOut:
    """Add a lesson to a course. The caller is an administrator or a keeper of the course's station.

    Raises CourseOver, LessonLength, LessonOutsideTerm, LessonExists.
    """
    async with transaction(scope):
        given = await course(scope, course_id)
        scope.require_keeper(given.station_id)
        if not given.active:
            raise CourseOver(title=given.title)
        ends_at = _end_of(wanted)
        require_term(given, wanted.starts_at)
        lesson_id = clock.new_id()
        minutes = wanted.minutes or int((ends_at - wanted.starts_at).total_seconds()) // 60
        await Lesson.insert(
            Lesson(
                community_id=scope.community_id, id=lesson_id, course_id=course_id, starts_at=wanted.starts_at,
                ends_at=ends_at, minutes=minutes, seats=wanted.seats, seats_taken=0, cancelled_at=None,
            )
        )  # fmt: skip
        await audit.record(
            scope, "add_lesson", "lesson", lesson_id, starts_at=wanted.starts_at, minutes=minutes, seats=wanted.seats
        )
        given_lesson = await lesson(scope, lesson_id)
        if costs_less_than_length(given_lesson):
            await record_lone_lesson(scope, given_lesson)
        return given_lesson


def costs_less_than_length(lesson: LessonOut, before: LessonOut | None = None) -> bool:
    """Whether a lesson costs fewer minutes than it lasts and, if changed, a smaller share of its length than before."""
    lasts = int((lesson.ends_at - lesson.starts_at).total_seconds()) // 60
    if before is None:
        return lesson.minutes < lasts
    lasted = int((before.ends_at - before.starts_at).total_seconds()) // 60
    return lesson.minutes < lasts and lesson.minutes * lasted < before.minutes * lasts


async def record_lone_lesson(scope: Scope, lesson: LessonOut) -> None:
    """Record a lesson that costs fewer minutes than it lasts, as `record_lone_price` records a price."""
    if scope.system:
        return
    lasts = int((lesson.ends_at - lesson.starts_at).total_seconds()) // 60
    says = {
        "course": lesson.course, "at": f"{clock.local(lesson.starts_at):%Y-%m-%d %H:%M}", "lasts": lasts,
        "minutes": lesson.minutes,
    }  # fmt: skip
    await done_alone(scope, LESSON_TERMS, str(lesson.id), says)


def _end_of(wanted: LessonIn) -> datetime:
    if wanted.ends_at is None and wanted.minutes is None:
        raise LessonLength
    ends_at = wanted.ends_at or wanted.starts_at + timedelta(minutes=wanted.minutes or 0)
    require_length(wanted.starts_at, ends_at)
    return ends_at


def require_length(starts_at: datetime, ends_at: datetime) -> None:
    if not timedelta(minutes=1) <= ends_at - starts_at <= timedelta(days=1):
        raise LessonLength


def require_term(given: CourseOut, starts_at: datetime) -> None:
    if not given.starts_on <= clock.local_day(starts_at) <= given.ends_on:
        raise LessonOutsideTerm(starts_on=given.starts_on, ends_on=given.ends_on)


async def lesson(scope: Scope, lesson_id: UUID) -> LessonOut:
    """One lesson with its seats."""
    async with transaction(scope):
        found = await database.row(
            LessonOut, LESSONS + " AND l.id = $2",
            scope.community_id, lesson_id,
        )  # fmt: skip
    if found is None:
        raise NotFound
    return found


async def lessons(
    scope: Scope, *, course_id: UUID | None = None, since: datetime | None = None, until: datetime | None = None,
    limit: int = 50, cursor: str | None = None,
) -> Page[LessonOut]:  # fmt: skip
    """Lessons by time: those that end after `since` and begin before `until`."""
    asked = Filters(scope.community_id)
    asked.add_given("l.course_id = {}", course_id)
    asked.add_given("l.ends_at > {}", since)
    asked.add_given("l.starts_at < {}", until)
    asked.add_after("l.starts_at, l.id", ">", read_cursor(cursor, tuple[datetime, UUID]))
    soonest = f"{LESSONS}{asked.sql} ORDER BY l.starts_at, l.id LIMIT {most(limit + 1)}"
    async with transaction(scope):
        if course_id is not None:
            await course(scope, course_id)
        found = await database.rows(LessonOut, soonest, *asked.values)
    return make_page(found, limit, lambda found_lesson: (found_lesson.starts_at, found_lesson.id))
