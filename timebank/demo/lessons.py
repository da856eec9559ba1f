"""Stories of courses and lessons: they are added, paid for with a guardian's points, booked, attended or missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from timebank.classes.attendance import attend
from timebank.classes.booking import book_seat, cancel_booking
from timebank.classes.class_time.purchase import buy_class_hours
from timebank.classes.courses import add_course, add_lesson
from timebank.classes.schemas import BookingIn, ClassHoursIn, CourseIn, LessonIn
from timebank.core.scope import Role
from timebank.demo.place import Place
from timebank.demo.population import NIL, Resident
from timebank.demo.stories import Step


@dataclass(eq=False, slots=True, kw_only=True)
class Course:
    """A course of one term; its id is set when it is added."""

    title: str
    teacher: str
    age_min: int
    age_max: int
    points_per_hour: int
    station: str
    starts_on: date
    ends_on: date
    id: UUID = NIL


@dataclass(eq=False, slots=True)
class Lesson:
    """A lesson of one hour; its id is set when it is added."""

    course: Course
    starts: datetime
    seats: int
    id: UUID = NIL


@dataclass(slots=True)
class Offering:
    """An administrator adds a course and its lessons."""

    place: Place
    course: Course
    lessons: list[Lesson]
    at: datetime

    def steps(self) -> Iterator[Step]:
        yield Step(self.at, self.place.id, self._offer)

    async def _offer(self) -> None:
        course, place = self.course, self.place
        admin = place.scope(place.holder(Role.community_admin))
        wanted = CourseIn(
            title=course.title, age_min=course.age_min, age_max=course.age_max, starts_on=course.starts_on,
            ends_on=course.ends_on, points_per_hour=course.points_per_hour,
            teacher=course.teacher, station_id=place.stations[course.station],
        )  # fmt: skip
        course.id = (await add_course(admin, wanted)).id
        for lesson in self.lessons:
            lesson.id = (await add_lesson(admin, course.id, LessonIn(lesson.starts, lesson.seats, minutes=60))).id


@dataclass(slots=True, kw_only=True)
class Purchase:
    """A guardian buys class minutes for a child."""

    place: Place
    guardian: Resident
    child: Resident
    course: Course
    minutes: int
    at: datetime

    def steps(self) -> Iterator[Step]:
        yield Step(self.at, self.guardian.id, self._buy)

    async def _buy(self) -> None:
        wanted = ClassHoursIn(self.guardian.id, self.child.id, self.course.id, self.minutes)
        await buy_class_hours(self.place.scope(self.guardian), wanted)


@dataclass(slots=True, kw_only=True)
class Booking:
    """A child's booking of a lesson, then attended, missed or cancelled in time."""

    place: Place
    guardian: Resident
    child: Resident
    lesson: Lesson
    booked: datetime
    ended: datetime | None
    how: str = "attended"
    _id: UUID = NIL
    _code: str | None = None

    def steps(self) -> Iterator[Step]:
        yield Step(self.booked, self.guardian.id, self._book)
        if self.ended is not None and self.how in ("attended", "cancelled"):
            yield Step(self.ended, self.guardian.id, self._attend if self.how == "attended" else self._cancel)

    async def _book(self) -> None:
        made = await book_seat(self.place.scope(self.guardian), BookingIn(self.lesson.id, self.child.id))
        self._id, self._code = made.id, made.code

    async def _attend(self) -> None:
        await attend(self.place.keeper(self.lesson.course.station), self._id, self._code)

    async def _cancel(self) -> None:
        await cancel_booking(self.place.scope(self.guardian), self._id)
