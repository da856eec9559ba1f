"""The HTTP API of courses, lessons, class hours and bookings."""

from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from timebank.classes import attendance, booking, changes, courses, reading, stopping
from timebank.classes.class_time import minute_moves, purchase, refunds
from timebank.classes.schemas import (
    AttendanceIn,
    Booked,
    BookingIn,
    BookingOut,
    BookingStatus,
    BoughtMinutes,
    Cancellation,
    ClassHoursIn,
    CourseChange,
    CourseIn,
    CourseOut,
    LessonChange,
    LessonIn,
    LessonOut,
    MoveIn,
    Quote,
    RefundIn,
    StopIn,
    StopPreview,
    Unused,
)
from timebank.core.clock import Moment
from timebank.core.paging import Page
from timebank.core.scope import Scope
from timebank.http.callers import AT_THE_COUNTER, AnyRequest
from timebank.http.idempotency import Idempotency
from timebank.http.paging import CounterCode, Cursor, Limit, listed, listed_one


class Courses(Controller):
    path = "/courses"

    @get()
    async def courses(
        self, request: AnyRequest, caller: NamedDependency[Scope], with_ended: FromQuery[bool] = False,
        limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[CourseOut]]:  # fmt: skip
        """List the courses, those with the latest first day first; `with_ended` adds ended and stopped ones."""
        return listed(request, await courses.courses(caller, with_ended=with_ended, limit=limit, cursor=cursor))

    @post()
    async def add(self, data: JSONBody[CourseIn], caller: NamedDependency[Scope]) -> CourseOut:
        """Offer a course."""
        return await courses.add_course(caller, data)

    @get("/{course_id:uuid}")
    async def course(self, course_id: FromPath[UUID], caller: NamedDependency[Scope]) -> CourseOut:
        """One course."""
        return await courses.course(caller, course_id)

    @patch("/{course_id:uuid}")
    async def change(
        self, course_id: FromPath[UUID], data: JSONBody[CourseChange], caller: NamedDependency[Scope]
    ) -> CourseOut:
        """Change a course from now on. `active` false stops it."""
        return await changes.change_course(caller, course_id, data)

    @get("/{course_id:uuid}/stop")
    async def stop_preview(self, course_id: FromPath[UUID], caller: NamedDependency[Scope]) -> StopPreview:
        """Preview what stopping the course would cancel and refund, in totals."""
        return await stopping.stop_preview(caller, course_id)

    @post("/{course_id:uuid}/stop", status_code=200)
    async def stop(
        self, course_id: FromPath[UUID], data: JSONBody[StopIn], caller: NamedDependency[Scope]
    ) -> CourseOut:
        """Stop the course: coming lessons are cancelled and unused minutes are refunded as points."""
        return await stopping.stop_course(caller, course_id, data.reason)

    @get("/{course_id:uuid}/lessons")
    async def lessons(
        self, request: AnyRequest, course_id: FromPath[UUID], caller: NamedDependency[Scope],
        since: FromQuery[Moment | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[LessonOut]]:  # fmt: skip
        """List a course's lessons by time; `since` leaves only those that end after it."""
        found = await courses.lessons(caller, course_id=course_id, since=since, limit=limit, cursor=cursor)
        return listed(request, found)

    @post("/{course_id:uuid}/lessons")
    async def add_lesson(
        self, course_id: FromPath[UUID], data: JSONBody[LessonIn], caller: NamedDependency[Scope]
    ) -> LessonOut:
        """Add a lesson to the course."""
        return await courses.add_lesson(caller, course_id, data)


class Lessons(Controller):
    path = "/lessons"

    @get("/{lesson_id:uuid}")
    async def lesson(self, lesson_id: FromPath[UUID], caller: NamedDependency[Scope]) -> LessonOut:
        """One lesson with its seats."""
        return await courses.lesson(caller, lesson_id)

    @patch("/{lesson_id:uuid}")
    async def change(
        self, lesson_id: FromPath[UUID], data: JSONBody[LessonChange], caller: NamedDependency[Scope]
    ) -> LessonOut:
        """Reschedule a lesson or change its seats. Booked and waiting families are notified of a new time."""
        return await changes.change_lesson(caller, lesson_id, data)

    @post("/{lesson_id:uuid}/cancellation", status_code=200)
    async def cancel(
        self, lesson_id: FromPath[UUID], data: JSONBody[Cancellation], caller: NamedDependency[Scope]
    ) -> LessonOut:
        """Cancel a lesson and return the minutes held for its seats."""
        return await attendance.cancel_lesson(caller, lesson_id, data.reason)


class ClassHours(Controller):
    path = "/class-hours"

    @get()
    async def unused(self, caller: NamedDependency[Scope], child_id: FromQuery[UUID]) -> list[Unused]:
        """List a child's unused minutes per course and the points that a refund would give today."""
        return await reading.unused_of(await booking.scope_for_child(caller, child_id), child_id)

    @get("/quote")
    async def quote(
        self, caller: NamedDependency[Scope], person_id: FromQuery[UUID], child_id: FromQuery[UUID],
        course_id: FromQuery[UUID], minutes: FromQuery[BoughtMinutes],
    ) -> Quote:  # fmt: skip
        """The price of minutes and their last day, before a purchase."""
        acting = caller.acting_as(person_id)
        return await purchase.quote(acting, ClassHoursIn(person_id, child_id, course_id, minutes))

    @post()
    async def buy(
        self, data: JSONBody[ClassHoursIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Buy class minutes for a child with a guardian's points."""
        acting = caller.acting_as(data.person_id)
        return await once.answer(acting, lambda: purchase.buy_class_hours(acting, data))

    @post("/refunds")
    async def refund(
        self, data: JSONBody[RefundIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Refund unused class minutes as points to whoever paid for them."""
        acting = caller.acting_as(data.person_id)
        return await once.answer(acting, lambda: refunds.refund(acting, data))

    @post("/moves")
    async def move(
        self, data: JSONBody[MoveIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Move unused class minutes to another course at the price that was paid for them."""
        acting = caller.acting_as(data.person_id)
        return await once.answer(acting, lambda: minute_moves.move_class_hours(acting, data))


class Bookings(Controller):
    path = "/bookings"
    opt = AT_THE_COUNTER

    @get()
    async def bookings(
        self, request: AnyRequest, caller: NamedDependency[Scope], code: CounterCode = None,
        child_id: FromQuery[UUID | None] = None, lesson_id: FromQuery[UUID | None] = None,
        status: FromQuery[BookingStatus | None] = None, limit: Limit = 50, cursor: Cursor = None,
    ) -> Response[Page[BookingOut]]:  # fmt: skip
        """List bookings: a guardian's children's, a keeper's stations', or all for administrators and auditors.

        With `code`, only the booking whose attendance code it is.
        """
        if code:
            return listed_one(request, await reading.booking_by_code(caller, code))
        found = await reading.bookings_of_all(
            caller, child_id=child_id, lesson_id=lesson_id, status=status, limit=limit, cursor=cursor
        )
        return listed(request, found)

    @post()
    async def book(
        self, data: JSONBody[BookingIn], caller: NamedDependency[Scope], once: NamedDependency[Idempotency]
    ) -> Response[bytes]:
        """Book a seat for a child, or a place on the waiting list when the lesson is full."""
        acting = await booking.scope_for_child(caller, data.child_id)
        return await once.answer(acting, lambda: booking.book_seat(acting, data))

    @post("/{booking_id:uuid}/attendance")
    async def attend(
        self, booking_id: FromPath[UUID], data: JSONBody[AttendanceIn], caller: NamedDependency[Scope],
        once: NamedDependency[Idempotency],
    ) -> Response[bytes]:  # fmt: skip
        """Mark the child as attended."""
        verb = attendance.attend
        return await once.answer(caller, lambda: verb(caller, booking_id, data.code, data.presence), status=200)

    @delete("/{booking_id:uuid}", status_code=200)
    async def cancel(self, booking_id: FromPath[UUID], caller: NamedDependency[Scope]) -> Booked:
        """Cancel a booking in time; the held minutes return."""
        return await booking.cancel_booking(caller, booking_id)
