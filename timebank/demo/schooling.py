"""Plan two courses in two terms, paid for with the points of parents who volunteer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from timebank.core import clock
from timebank.demo.county import COURSES, LESSON_AT
from timebank.demo.lessons import Booking, Course, Lesson, Offering, Purchase
from timebank.demo.place import Place
from timebank.demo.population import Resident
from timebank.demo.stories import Story
from timebank.people.identity.ages import age_on

TERMS = ((-300, -215), (-60, 45))
"""First and last day of each term, in days from today."""
SEATS, PUPILS, HOURS_MAX = 8, 6, 4
WEEKDAYS = (2, 5)
BOOKED_DAYS_AHEAD = 4


@dataclass(slots=True)
class Term:
    """One course of one term, the children who may take it, and the hours that each has left."""

    course: Course
    lessons: list[Lesson]
    pupils: list[tuple[Resident, Resident]]
    left: dict[Resident, int] = field(default_factory=dict)


class Schooling:
    """Plans courses and their bookings day by day, up to but not including today."""

    def __init__(self, place: Place, rng: Random, today: date, parents: list[Resident]) -> None:
        self.place, self.rng, self.today = place, rng, today
        self.terms = [self._term(number, *term, parents) for number in range(len(COURSES)) for term in TERMS]
        self.due: set[date] = set()

    @property
    def running(self) -> list[Course]:
        return [term.course for term in self.terms if term.course.ends_on >= self.today]

    def _term(self, number: int, begin: int, end: int, parents: list[Resident]) -> Term:
        title, teacher, youngest, oldest, price = COURSES[number]
        starts_on, ends_on = self.today + timedelta(days=begin), self.today + timedelta(days=end)
        station = list(self.place.stations)[number % len(self.place.stations)]
        course = Course(
            title=title,
            teacher=teacher,
            age_min=youngest,
            age_max=oldest,
            points_per_hour=price,
            station=station,
            starts_on=starts_on,
            ends_on=ends_on,
        )
        keeper = self.place.keepers[station]
        pupils = [
            (guardian, child)
            for guardian in parents
            for child in self.place.wards.get(guardian, ())
            if youngest <= age_on(child.born_on, starts_on) <= oldest and guardian.door is not keeper.door
        ]
        return Term(course, list(self._lessons(course, WEEKDAYS[number])), pupils[:PUPILS])

    def _lessons(self, course: Course, weekday: int) -> Iterator[Lesson]:
        """The past lessons: one a week from the second week on."""
        day = course.starts_on + timedelta(days=7)
        day += timedelta(days=(weekday - day.weekday()) % 7)
        while day < min(self.today, course.ends_on):
            yield Lesson(course, clock.at_local(day, LESSON_AT), SEATS)
            day += timedelta(days=7)

    def offerings(self) -> Iterator[Story]:
        for number, term in enumerate(self.terms):
            opened = clock.at_local(term.course.starts_on - timedelta(days=10), time(10, number))
            yield Offering(self.place, term.course, term.lessons, opened)

    def plan_day(self, day: date, points: dict[Resident, int]) -> Iterator[tuple[Story, Resident, int]]:
        """The stories of guardians on a day, each with the guardian and the points it costs them."""
        for term in self.terms:
            if term.course.starts_on < day < term.course.ends_on and day.weekday() == 0:
                yield from self._purchases(term, day, points)
            for lesson in term.lessons:
                if clock.local_day(lesson.starts) == day + timedelta(days=BOOKED_DAYS_AHEAD):
                    yield from ((story, guardian, 0) for story, guardian in self._bookings(term, lesson, day))

    def _purchases(self, term: Term, day: date, points: dict[Resident, int]) -> Iterator[tuple[Story, Resident, int]]:
        price = term.course.points_per_hour
        for guardian, child in term.pupils:
            hours = min(HOURS_MAX, (points.get(guardian, 0) - 5) // price)
            if hours > 0 and not term.left.get(child):
                term.left[child] = term.left.get(child, 0) + hours
                points[guardian] -= hours * price
                bought = self._at(day, 20)
                yield (
                    Purchase(
                        place=self.place,
                        guardian=guardian,
                        child=child,
                        course=term.course,
                        minutes=hours * 60,
                        at=bought,
                    ),
                    guardian,
                    hours * price,
                )

    def _bookings(self, term: Term, lesson: Lesson, day: date) -> Iterator[tuple[Story, Resident]]:
        for guardian, child in term.pupils:
            if not term.left.get(child) or self.rng.random() < 0.3:
                continue
            how = self.rng.choice(["attended"] * 8 + ["missed", "cancelled"])
            ended = lesson.starts + timedelta(minutes=3)
            if how == "cancelled":
                ended = self._at(day + timedelta(days=2), 18)
            elif how == "missed":
                self.due.add(clock.local_day(lesson.starts))
            term.left[child] -= how != "cancelled"
            yield (
                Booking(
                    place=self.place,
                    guardian=guardian,
                    child=child,
                    lesson=lesson,
                    booked=self._at(day, 21),
                    ended=ended,
                    how=how,
                ),
                guardian,
            )

    def _at(self, day: date, hour: int) -> datetime:
        return clock.at_local(day, time(hour, self.rng.randrange(60), self.rng.randrange(60)))
