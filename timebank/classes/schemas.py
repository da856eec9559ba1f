"""What goes in and out about classes."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

QUARTER_MINUTES = 15

Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Age = Annotated[int, Meta(ge=0, le=120)]
PointsPerHour = Annotated[int, Meta(ge=1, le=100_000)]
Moment = Annotated[datetime, Meta(tz=True)]
LessonMinutes = Annotated[int, Meta(ge=1, le=1440)]
Seats = Annotated[int, Meta(ge=1, le=1000)]
BoughtMinutes = Annotated[int, Meta(ge=QUARTER_MINUTES, le=6000, multiple_of=QUARTER_MINUTES)]
Reason = Annotated[str, Meta(min_length=2, max_length=300, pattern=r"^[^\x00]*$")]
DoorCode = Annotated[str, Meta(pattern=r"^[0-9]{4} ?[0-9]{4}$")]
BookingStatus = Literal["held", "waiting", "attended", "missed", "cancelled"]


class CourseIn(msgspec.Struct, forbid_unknown_fields=True):
    """A course for children of `age_min` to `age_max`, both included; the price is for 60 minutes."""

    title: Title
    age_min: Age
    age_max: Age
    starts_on: date
    ends_on: date
    points_per_hour: PointsPerHour
    teacher: Title
    station_id: UUID


class CourseChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays as it is. Minutes already bought keep what was paid for them."""

    title: Title | UnsetType = UNSET
    age_min: Age | UnsetType = UNSET
    age_max: Age | UnsetType = UNSET
    ends_on: date | UnsetType = UNSET
    points_per_hour: PointsPerHour | UnsetType = UNSET
    teacher: Title | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class CourseOut(msgspec.Struct, frozen=True):
    id: UUID
    title: str
    age_min: int
    age_max: int
    starts_on: date
    ends_on: date
    points_per_hour: int
    teacher: str
    station_id: UUID
    station: str
    active: bool


class LessonIn(msgspec.Struct, forbid_unknown_fields=True):
    """A lesson with its seats. `minutes` of class time that a seat costs: its length where it is left out."""

    starts_at: Moment
    seats: Seats
    ends_at: Moment | None = None
    minutes: LessonMinutes | None = None


class LessonOut(msgspec.Struct, frozen=True):
    id: UUID
    course_id: UUID
    course: str
    station_id: UUID
    station: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    seats: int
    seats_free: int
    waiting: int
    cancelled_at: datetime | None


class Cancellation(msgspec.Struct, forbid_unknown_fields=True):
    reason: Reason


class ClassHoursIn(msgspec.Struct, forbid_unknown_fields=True):
    """A guardian buys a child's class minutes, in quarters of an hour."""

    person_id: UUID
    child_id: UUID
    course_id: UUID
    minutes: BoughtMinutes


class Bought(msgspec.Struct, frozen=True):
    """`available` is what the child has in this course now."""

    id: UUID
    points: int
    minutes: int
    available: int


class BookingIn(msgspec.Struct, forbid_unknown_fields=True):
    lesson_id: UUID
    child_id: UUID


class Booked(msgspec.Struct, frozen=True):
    """`code` is shown at the door; `place` counts those before in line while waiting, from 1."""

    id: UUID
    status: BookingStatus
    code: str | None
    minutes: int
    place: int | None


class AttendanceIn(msgspec.Struct, forbid_unknown_fields=True):
    """Without a code the keeper answers for having seen the child."""

    code: DoorCode | None = None


class BookingOut(msgspec.Struct, frozen=True):
    """A booking as its reader may see it: the code is the guardian's own, others' names are masked."""

    id: UUID
    lesson_id: UUID
    course_id: UUID
    course: str
    station_id: UUID
    station: str
    child_id: UUID
    child: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    status: BookingStatus
    code: str | None
    place: int | None
    created_at: datetime
