"""The panel's pages of classes: courses, lessons, bookings and attendance."""

from datetime import date, time, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from msgspec import Meta

from timebank.classes import attendance, changes, courses, reading, stopping
from timebank.classes.class_time import refunds
from timebank.classes.schemas import (
    Cancellation,
    CourseChange,
    CourseIn,
    LessonChange,
    LessonIn,
    LessonMinutes,
    Reason,
    RefundIn,
    Seats,
    StopIn,
)
from timebank.core import clock
from timebank.core.locale import _
from timebank.core.paging import all_pages
from timebank.core.scope import Scope
from timebank.http.callers import AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import Cursor
from timebank.http.refusals import shown_again
from timebank.stations.stations import stations
from timebank.web.forms import parse_form
from timebank.web.lists import Bar, length_of, typed_words
from timebank.web.pages import page, see_other

PATH = "/admin/classes"
PAGE = 50
PAST = timedelta(days=14)
DOOR_OPENS = timedelta(hours=2)
COURSE = {
    "title": _("课程名称"), "age_min": _("最小年龄"), "age_max": _("最大年龄"), "starts_on": _("开课日"),
    "ends_on": _("结课日"), "points_per_hour": _("每小时积分"), "teacher": _("老师"), "station_id": _("上课地点"),
}  # fmt: skip
CHANGE = {
    "title": _("课程名称"), "age_min": _("最小年龄"), "age_max": _("最大年龄"), "ends_on": _("结课日"),
    "points_per_hour": _("每小时积分"), "teacher": _("老师"), "station_id": _("上课地点"), "active": _("重新开课"),
    "reason": _("原因"),
}  # fmt: skip
LESSON_CHANGE = {
    "day": _("日期"), "at": _("上课时间"), "minutes": _("分钟"), "seats": _("座位"), "reason": _("原因"),
}  # fmt: skip
REFUND = {
    "person_id": _("家长"), "child_id": _("孩子"), "course_id": _("课程"), "reason": _("原因"), "pay_to": _("退给谁"),
}  # fmt: skip
LESSON = {"day": _("日期"), "at": _("上课时间"), "minutes": _("分钟"), "seats": _("座位")}


class LessonForm(msgspec.Struct):
    """The form of a new lesson, in local day and time."""

    day: date
    at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    minutes: LessonMinutes
    seats: Seats

    def lesson(self) -> LessonIn:
        return LessonIn(clock.at_local(self.day, time.fromisoformat(self.at)), self.seats, minutes=self.minutes)


class LessonChangeForm(msgspec.Struct):
    """The form that changes a lesson: all its values, in local day and time."""

    day: date
    at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    minutes: LessonMinutes
    seats: Seats
    reason: Reason

    def change(self) -> LessonChange:
        starts_at = clock.at_local(self.day, time.fromisoformat(self.at))
        ends_at = starts_at + timedelta(minutes=self.minutes)
        return LessonChange(starts_at=starts_at, ends_at=ends_at, seats=self.seats, reason=self.reason)


class PanelClassPages(Controller):
    path = PATH
    include_in_schema = False

    @get()
    async def courses(
        self, request: AnyRequest, caller: NamedDependency[Scope], ended: FromQuery[bool] = False, cursor: Cursor = None
    ) -> Template:
        """The courses, and the lessons of the coming week."""
        return await _courses_page(request, caller, ended=ended, cursor=cursor)

    @post("/search", status_code=200)
    @shown_again(lambda request, caller: _courses_page(request, caller))
    async def search(
        self, request: AnyRequest, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]
    ) -> Template | Redirect:
        """The courses with these words in the title or in the teacher's name, ended ones too."""
        if not typed_words(data):
            return see_other(PATH)
        return await _courses_page(request, caller, typed_words(data), ended=True, cursor=data.get("cursor") or None)

    @get("/new")
    async def new(self, request: AnyRequest, caller: NamedDependency[Scope]) -> Template:
        """The form for a new course."""
        return await _new_page(request, caller)

    @post()
    @shown_again(lambda request, caller: _new_page(request, caller))
    async def add(self, caller: NamedDependency[Scope], data: URLEncodedBody[dict[str, str]]) -> Redirect:
        """Add a course, then show its page to add lessons."""
        made = await courses.add_course(caller, parse_form(CourseIn, data, COURSE))
        return see_other(f"/admin/classes/{made.id}?done=added")

    @get("/{course_id:uuid}")
    async def course(
        self, request: AnyRequest, caller: NamedDependency[Scope], course_id: FromPath[UUID], done: FromQuery[str] = ""
    ) -> Template:
        """One course with its lessons."""
        return await _course_page(request, caller, course_id, done=done)

    @post("/{course_id:uuid}")
    @shown_again(lambda request, caller, course_id: _course_page(request, caller, course_id))
    async def change(
        self, caller: NamedDependency[Scope], course_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Change a course from now on."""
        wanted = parse_form(CourseChange, data, CHANGE)
        await changes.change_course(caller, course_id, wanted)
        return see_other(f"/admin/classes/{course_id}?done=changed")

    @post("/{course_id:uuid}/stop")
    @shown_again(lambda request, caller, course_id: _course_page(request, caller, course_id))
    async def stop(
        self, caller: NamedDependency[Scope], course_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Stop the course; the worker cancels its lessons and refunds unused minutes."""
        await stopping.stop_course(caller, course_id, parse_form(StopIn, data, {"reason": _("原因")}).reason)
        return see_other(f"/admin/classes/{course_id}?done=stopped")

    @post("/{course_id:uuid}/refund")
    @shown_again(lambda request, caller, course_id: _course_page(request, caller, course_id))
    async def refund(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        course_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Refund a child's unused minutes on behalf of its guardian."""
        wanted = parse_form(RefundIn, data | {"course_id": str(course_id)}, REFUND)
        await once.answer(caller, lambda: refunds.refund(caller, wanted))
        return see_other(f"/admin/classes/{course_id}?done=refunded")

    @post("/{course_id:uuid}/lessons")
    @shown_again(lambda request, caller, course_id: _course_page(request, caller, course_id))
    async def add_lesson(
        self, caller: NamedDependency[Scope], course_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Put a lesson on the calendar."""
        await courses.add_lesson(caller, course_id, parse_form(LessonForm, data, LESSON).lesson())
        return see_other(f"/admin/classes/{course_id}?done=lesson")


class PanelLessonPages(Controller):
    path = "/admin/classes/lessons"
    include_in_schema = False

    @get("/{lesson_id:uuid}")
    async def lesson(
        self, request: AnyRequest, caller: NamedDependency[Scope], lesson_id: FromPath[UUID], done: FromQuery[str] = ""
    ) -> Template:
        """One lesson and its bookings."""
        return await _lesson_page(request, caller, lesson_id, done=done)

    @post("/{lesson_id:uuid}/change")
    @shown_again(lambda request, caller, lesson_id: _lesson_page(request, caller, lesson_id))
    async def change(
        self, caller: NamedDependency[Scope], lesson_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Reschedule the lesson, or change its seats or minutes."""
        await changes.change_lesson(caller, lesson_id, parse_form(LessonChangeForm, data, LESSON_CHANGE).change())
        return see_other(f"/admin/classes/lessons/{lesson_id}?done=changed")

    @post("/{lesson_id:uuid}/cancellation")
    @shown_again(lambda request, caller, lesson_id: _lesson_page(request, caller, lesson_id))
    async def cancel(
        self, caller: NamedDependency[Scope], lesson_id: FromPath[UUID],
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Cancel the lesson."""
        reason = parse_form(Cancellation, data, {"reason": _("原因")}).reason
        await attendance.cancel_lesson(caller, lesson_id, reason)
        return see_other(f"/admin/classes/lessons/{lesson_id}?done=cancelled")

    @post("/{lesson_id:uuid}/attendance")
    @shown_again(lambda request, caller, lesson_id: _lesson_page(request, caller, lesson_id))
    async def attend(
        self, caller: NamedDependency[Scope], once: NamedDependency[Idempotency],
        lesson_id: FromPath[UUID], data: URLEncodedBody[dict[str, str]],
    ) -> Redirect:  # fmt: skip
        """Mark a child on the list as attended."""
        booking_id = parse_form(_Booking, data, {"booking_id": _("孩子")}).booking_id
        await once.answer(caller, lambda: attendance.attend(caller, booking_id))
        return see_other(f"/admin/classes/lessons/{lesson_id}?done=attended")


class _Booking(msgspec.Struct):
    booking_id: UUID


async def _courses_page(
    request: AnyRequest, caller: Scope, q: str = "", *, ended: bool = False, cursor: str | None = None
) -> Template:
    caller.require_reader()
    now = clock.now()
    bar = Bar(path=PATH, q=q, placeholder=_("课程或老师"), kept={"ended": "true" if ended else ""}, cursor=cursor)
    found = await courses.courses(caller, with_ended=ended, search=q, limit=PAGE, cursor=cursor)
    count = partial(courses.count_courses, caller, with_ended=ended, search=q)
    return page(
        request, caller, "classes/courses.html", bar=bar, ended=ended, found=found,
        count=await length_of(found, cursor, count),
        week=await all_pages(partial(courses.lessons, caller, since=now, until=now + timedelta(days=7))),
    )  # fmt: skip


async def _new_page(request: AnyRequest, caller: Scope) -> Template:
    caller.require_admin()
    return page(
        request, caller, "classes/new.html", given={}, stations=await all_pages(partial(stations, caller)),
    )  # fmt: skip


async def _course_page(request: AnyRequest, caller: Scope, course_id: UUID, done: str = "") -> Template:
    caller.require_reader()
    found = await all_pages(partial(courses.lessons, caller, course_id=course_id, since=clock.now() - PAST))
    shown = await courses.course(caller, course_id)
    has = await refunds.holders(caller, course_id)
    return page(
        request, caller, "classes/course.html", course=shown, done=done, lessons=found, today=clock.local_day(),
        stop=await stopping.stop_preview(caller, course_id) if caller.administers and shown.active else None,
        holders=has, stations=await all_pages(partial(stations, caller)),
    )  # fmt: skip


async def _lesson_page(request: AnyRequest, caller: Scope, lesson_id: UUID, done: str = "") -> Template:
    caller.require_reader()
    shown = await courses.lesson(caller, lesson_id)
    found = await all_pages(partial(reading.bookings_of_all, caller, lesson_id=lesson_id))
    return page(
        request, caller, "classes/lesson.html", lesson=shown, done=done, over=shown.ends_at <= clock.now(),
        opens=shown.starts_at - DOOR_OPENS <= clock.now(),
        bookings=sorted(found, key=lambda b: (b.status == "cancelled", b.status == "waiting", b.created_at)),
    )  # fmt: skip
