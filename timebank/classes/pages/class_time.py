"""The class minutes of children as the pages show them: course, term, and whether they can be used."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from timebank.classes.courses import course
from timebank.classes.schemas import CourseOut
from timebank.core import clock
from timebank.core.scope import Scope
from timebank.core.wording import day
from timebank.ledger.statement import ClassMinutes
from timebank.people.directory import names_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTime:
    """A child's minutes in one course. `over`: the course has ended or was stopped."""

    child_id: UUID
    child: str
    course_id: UUID
    title: str
    available: int
    over: bool
    lasts_until: date | None


async def class_time(scope: Scope, held: Sequence[ClassMinutes], language: str) -> list[ClassTime]:
    """The children's minutes with course titles, usable ones first. Courses of the same title also name their term."""
    courses = {course_id: await course(scope, course_id) for course_id in {h.course_id for h in held}}
    names = await names_of(scope, {h.child_id for h in held})
    shared = {title for title, times in Counter(c.title for c in courses.values()).items() if times > 1}
    found = [
        ClassTime(
            child_id=h.child_id, child=names.get(h.child_id, ""), course_id=h.course_id,
            title=titled(courses[h.course_id], shared, language), available=h.available,
            over=is_over(courses[h.course_id]),
            lasts_until=h.lasts_until,
        )
        for h in held
    ]  # fmt: skip
    return sorted(found, key=lambda has: has.over)


def is_over(shown: CourseOut) -> bool:
    """Whether the course was stopped or has ended."""
    return not shown.active or shown.ends_on < clock.local_day()


def titled(shown: CourseOut, shared: set[str], language: str) -> str:
    """The title of a course, with its term if `shared` holds the title."""
    term = f" · {day(shown.starts_on, language)}–{day(shown.ends_on, language)}"
    return shown.title + term if shown.title in shared else shown.title
