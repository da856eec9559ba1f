"""What is decided about a booking and an attendance: tables of cases, without a database."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.shop.test_reserving import allowed, answered
from timebank.agreements.independence import NearFacts, SideRow
from timebank.classes.attendance import AttendanceFacts, require_attendable
from timebank.classes.families import Family
from timebank.classes.schemas import CourseOut, LessonOut
from timebank.classes.seating import BookingFacts, Known, Seating, decide
from timebank.classes.seats import BookingRow, Holder
from timebank.core import clock
from timebank.core.scope import Grant, ResidentRecord, Role, Scope

HERE, STATION, OTHER_STATION = UUID(int=1), UUID(int=2), UUID(int=3)
CHILD, GUARDIAN, KEEPER, LOGIN, HOME = (UUID(int=number) for number in range(4, 9))
LESSON, COURSE, BOOKING = (UUID(int=number) for number in range(9, 12))
NOW = datetime(2026, 3, 18, 2, tzinfo=UTC)


def lesson(**other: Any) -> LessonOut:
    known: dict[str, Any] = {
        "id": LESSON, "course_id": COURSE, "course": "书法", "station_id": STATION, "station": "暖蜂驿站",
        "starts_at": NOW + timedelta(days=2), "ends_at": NOW + timedelta(days=2, hours=1), "minutes": 60, "seats": 10,
        "seats_free": 3, "waiting": 0, "cancelled_at": None,
    }  # fmt: skip
    return LessonOut(**(known | other))


def course(**other: Any) -> CourseOut:
    known: dict[str, Any] = {
        "id": COURSE, "title": "书法", "age_min": 6, "age_max": 12, "starts_on": date(2026, 3, 1),
        "ends_on": date(2026, 6, 30), "points_per_hour": 20, "teacher": "陈老师", "station_id": STATION,
        "station": "暖蜂驿站", "active": True,
    }  # fmt: skip
    return CourseOut(**(known | other))


def facts(**other: Any) -> BookingFacts:
    known: dict[str, Any] = {
        "cares": True, "lesson": lesson(), "course": course(), "born_on": date(2016, 9, 1), "known": None,
        "waiting": [], "unseen": False, "codes": ["12345678"],
    }  # fmt: skip
    return BookingFacts(**(known | other))


HELD, WAITS = Known(BOOKING, "held"), Known(BOOKING, "waiting")
FULL = lesson(seats_free=0)
BOOKED = [
    ("a free seat", facts(), "seat"),
    ("no free seat", facts(lesson=FULL), "wait"),
    ("no free seat and others wait", facts(lesson=lesson(seats_free=0, waiting=2)), "wait"),
    ("a free seat and others wait", facts(lesson=lesson(waiting=1)), "fill"),
    ("a seat already", facts(known=HELD), "already_booked"),
    ("a seat already, and others wait", facts(known=HELD, lesson=lesson(waiting=1)), "already_booked"),
    ("waits already, and no seat is free", facts(known=WAITS, lesson=FULL), "already_booked"),
    ("waits already, and a seat is free", facts(known=WAITS), "seat"),
    ("no consent in force", facts(cares=False), "guardian_consent_missing"),
    ("no consent, whatever else", facts(cares=False, lesson=None), "guardian_consent_missing"),
    ("no such lesson", facts(lesson=None, course=None), "not_found"),
    ("a cancelled lesson", facts(lesson=lesson(cancelled_at=NOW)), "lesson_closed"),
    ("a lesson that begins now", facts(lesson=lesson(starts_at=NOW)), "lesson_closed"),
    ("a lesson that begins in a second", facts(lesson=lesson(starts_at=NOW + timedelta(seconds=1))), "seat"),
    ("a course that was stopped", facts(course=course(active=False)), "lesson_closed"),
    ("a child that is too young", facts(born_on=date(2021, 1, 1)), "child_age"),
    ("a child that is too old", facts(born_on=date(2012, 1, 1)), "child_age"),
    ("six today", facts(born_on=date(2020, 3, 18)), "seat"),
    ("six tomorrow", facts(born_on=date(2020, 3, 19)), "child_age"),
    ("six on the first day of a course to come",
     facts(born_on=date(2020, 4, 1), course=course(starts_on=date(2026, 4, 1))), "seat"),
    ("without a birth date", facts(born_on=None), "child_age"),
    ("every drawn code is in use", facts(codes=[]), "busy"),
    ("no code is needed to wait", facts(codes=[], lesson=FULL), "wait"),
]  # fmt: skip


@pytest.mark.parametrize(("known", "done"), [c[1:] for c in BOOKED], ids=[c[0] for c in BOOKED])
def test_what_is_done_with_a_booking(known: BookingFacts, done: str) -> None:
    assert answered(lambda: decide(known, NOW).step) == done


def test_a_seat_has_a_code_and_a_place_in_line_has_none() -> None:
    assert decide(facts(), NOW) == Seating("seat", "12345678")
    assert decide(facts(lesson=FULL), NOW) == Seating("wait", None)


def test_once_those_who_wait_were_asked_the_free_seat_is_given() -> None:
    """A child without enough minutes keeps waiting, and the seat goes to whoever books it."""
    assert decide(facts(lesson=lesson(waiting=1)), NOW, is_filled=True).step == "seat"


def test_a_child_that_waited_has_the_seat_that_was_just_given_to_those_who_wait() -> None:
    seated = facts(known=Known(BOOKING, "held", "87654321"), lesson=FULL)
    assert decide(seated, NOW, is_filled=True) == Seating("seated", "87654321")


def booking(**other: Any) -> BookingRow:
    known: dict[str, Any] = {
        "id": BOOKING, "lesson_id": LESSON, "child_id": CHILD, "guardian_id": GUARDIAN, "child": "刘小雨",
        "status": "held", "code": "12345678", "entry_id": UUID(int=20), "course_id": COURSE, "course": "书法",
        "station_id": STATION, "station": "暖蜂驿站", "starts_at": NOW, "ends_at": NOW + timedelta(hours=1),
        "minutes": 60, "moved_at": None, "acted_by": None, "acted_by_login": None,
    }  # fmt: skip
    return BookingRow(**(known | other))


def keeper(person: UUID = KEEPER, **other: Any) -> Scope:
    own = ResidentRecord(community_id=HERE, person_id=person, name="周敏", community_name="凤凰社区")
    known: dict[str, Any] = {
        "community_id": HERE, "persons": (own,), "login_id": LOGIN,
        "grants": frozenset({Grant(role=Role.station_keeper, community_id=HERE, station_id=STATION)}),
    }  # fmt: skip
    return Scope(**(known | other))


ATTENDED = [
    ("a booked seat", keeper(), booking(), "yes"),
    ("what was missed is corrected", keeper(), booking(status="missed"), "yes"),
    ("what was attended before", keeper(), booking(status="attended"), "yes"),
    ("no such booking", keeper(), None, "not_found"),
    ("at another station", keeper(), booking(station_id=OTHER_STATION), "not_found"),
    ("by a neighbour", keeper(grants=frozenset()), booking(), "not_found"),
    ("by the guardian at home", keeper(GUARDIAN, grants=frozenset()), booking(), "forbidden"),
    ("by the guardian, who keeps the station", keeper(GUARDIAN), booking(), "own_child"),
    ("by who booked, and is guardian no more", keeper(), booking(guardian_id=KEEPER), "own_child"),
    ("a child that waits", keeper(), booking(status="waiting"), "no_seat"),
    ("a cancelled booking", keeper(), booking(status="cancelled"), "booking_ended"),
]


@pytest.mark.parametrize(("scope", "found", "answer"), [c[1:] for c in ATTENDED], ids=[c[0] for c in ATTENDED])
def test_who_marks_a_child_as_there(scope: Scope, found: BookingRow | None, answer: str) -> None:
    sides = NearFacts(people=[SideRow(CHILD, [CHILD], [HOME], [])], logins=[], own=[], care=[])
    known = AttendanceFacts(booking=found, near=sides, family=Family(CHILD, date(2016, 9, 1), [GUARDIAN]))
    with clock.at(NOW):
        assert allowed(lambda: require_attendable(scope, known, Holder(CHILD))) == answer
