"""The request and response structs of classes."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from timebank.core.clock import Moment
from timebank.presence.schemas import Nonce, ShownCode

QUARTER_MINUTES = 15

Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Age = Annotated[int, Meta(ge=0, le=120)]
PointsPerHour = Annotated[int, Meta(ge=1, le=100_000)]
LessonMinutes = Annotated[int, Meta(ge=1, le=1440)]
Seats = Annotated[int, Meta(ge=1, le=1000)]
BoughtMinutes = Annotated[int, Meta(ge=QUARTER_MINUTES, le=6000, multiple_of=QUARTER_MINUTES)]
Reason = Annotated[str, Meta(min_length=2, max_length=300, pattern=r"^[^\x00]*$")]
BookingStatus = Literal["held", "waiting", "attended", "missed", "cancelled"]


class CourseIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new course for children of `age_min` to `age_max`, both included. `points_per_hour`: price of 60 minutes."""

    title: Title
    age_min: Age
    age_max: Age
    starts_on: date
    ends_on: date
    points_per_hour: PointsPerHour
    teacher: Title
    station_id: UUID


class CourseChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is. Minutes already bought keep what was paid for them.

    `active` false stops the course: coming lessons are cancelled and unused minutes refunded. The families are
    notified of the change with its `reason`.
    """

    title: Title | UnsetType = UNSET
    age_min: Age | UnsetType = UNSET
    age_max: Age | UnsetType = UNSET
    ends_on: date | UnsetType = UNSET
    points_per_hour: PointsPerHour | UnsetType = UNSET
    teacher: Title | UnsetType = UNSET
    station_id: UUID | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


class CourseOut(msgspec.Struct, frozen=True, kw_only=True):
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
    stopped_at: datetime | None = None


class StopIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why a course is stopped. Its families are notified of the reason."""

    reason: Reason


class StopPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What stopping a course does: lessons called off, seats released, and what comes back for how many children.

    `waiting_minutes` are not refunded: their points are past their days of grace, or the payer has left.
    """

    lessons: int
    seats: int
    children: int
    minutes: int
    points: int
    waiting_minutes: int


class LessonIn(msgspec.Struct, forbid_unknown_fields=True):
    """A new lesson. `minutes`: class minutes that a seat costs, by default the length of the lesson."""

    starts_at: Moment
    seats: Seats
    ends_at: Moment | None = None
    minutes: LessonMinutes | None = None


class LessonChange(msgspec.Struct, forbid_unknown_fields=True):
    """A change of a lesson; omitted fields stay as they are. A new start without a new end keeps the length.

    `minutes` can be changed only while nobody has booked the lesson or waits for it.
    """

    starts_at: Moment | UnsetType = UNSET
    ends_at: Moment | UnsetType = UNSET
    minutes: LessonMinutes | UnsetType = UNSET
    seats: Seats | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


class LessonOut(msgspec.Struct, frozen=True, kw_only=True):
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
    """A purchase of a child's class minutes by a guardian, in multiples of 15 minutes."""

    person_id: UUID
    child_id: UUID
    course_id: UUID
    minutes: BoughtMinutes


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """`available` is what the child has in this course now.

    `lasts_until`: the last day of the bought minutes, the later of the points' and the course's last day (None: no
    expiry).
    """

    id: UUID
    points: int
    minutes: int
    available: int
    lasts_until: date | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The price of minutes today and their last day (None: no expiry). `available`: the guardian's points."""

    minutes: int
    points: int
    available: int
    lasts_until: date | None


AnyMinutes = Annotated[int, Meta(ge=1, le=1_000_000)]


class RefundIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Unused minutes become points again: `minutes` of them, else all. `person_id` is the guardian who asks.

    An administrator who acts for the guardian gives the `reason`. `pay_to`: the guardian who gets the points of a
    payer who has left.
    """

    person_id: UUID
    child_id: UUID
    course_id: UUID
    minutes: AnyMinutes | None = None
    reason: Reason | None = None
    pay_to: UUID | None = None


class PointsBack(msgspec.Struct, frozen=True, kw_only=True):
    """Points refunded to one person. `expires_on`: the latest last day of them (None: no expiry)."""

    person_id: UUID
    points: int
    expires_on: date | None


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """A refund of `minutes` as `points`. `available`: the child's minutes left in this course."""

    id: UUID
    minutes: int
    points: int
    available: int
    returned: list[PointsBack]


class MoveIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A move of `minutes` unused minutes, by default all, to another course at the price paid for them."""

    person_id: UUID
    child_id: UUID
    course_id: UUID
    to_course_id: UUID
    minutes: AnyMinutes | None = None
    reason: Reason | None = None


class MovedOut(msgspec.Struct, frozen=True, kw_only=True):
    """`minutes` left one course with the `points` that they had cost and arrived as `arrived` minutes in the other.

    `available`: the child's minutes in the other course now; `lasts_until`: their last day (None: no expiry).
    """

    id: UUID
    minutes: int
    points: int
    arrived: int
    available: int
    lasts_until: date | None = None


class Unused(msgspec.Struct, frozen=True, kw_only=True):
    """What a child has not used and not booked in a course, and what would come back for it today.

    `unused` minutes cost `worth` points. A refund would turn `minutes` of them into `points`, usable until
    `points_until` (None: no expiry). `waiting` minutes cannot be refunded now: their points are past their days of
    grace, or the payer has left. `lasts_until`: the latest last day of the minutes (None: no expiry).
    """

    child_id: UUID
    course_id: UUID
    unused: int
    worth: int
    minutes: int
    points: int
    points_until: date | None
    waiting: int
    lasts_until: date | None


class BookingIn(msgspec.Struct, forbid_unknown_fields=True):
    """A seat for a child. An administrator who books for the family gives the `reason`, which the family reads."""

    lesson_id: UUID
    child_id: UUID
    reason: Reason | None = None


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A booking. `code`: the attendance code; null for an administrator who has booked for the family.

    `place`: the position on the waiting list, from 1, while waiting.
    """

    id: UUID
    status: BookingStatus
    code: str | None
    minutes: int
    place: int | None


class AttendanceIn(msgspec.Struct, forbid_unknown_fields=True):
    """Proof of attendance: the attendance code, or the nonce of a scan in `presence`.

    The scan is of the child or a guardian at this station in the last 5 minutes. An administrator needs neither.
    """

    code: ShownCode | None = None
    presence: Nonce | None = None


class BookingOut(msgspec.Struct, frozen=True, kw_only=True):
    """A booking as its reader may see it: the code is the guardian's own.

    A keeper reads a masked name and no `child_id`, unless a code or a scan has just identified the child.

    `moved_at`: when the lesson was rescheduled after the booking; the family may then cancel until it begins. `reason`:
    of an administrator who booked for the family, which may then cancel until it begins, too; null otherwise.
    """

    id: UUID
    lesson_id: UUID
    course_id: UUID
    course: str
    station_id: UUID
    station: str
    child_id: UUID | None
    child: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    status: BookingStatus
    code: str | None
    place: int | None
    created_at: datetime
    moved_at: datetime | None = None
    reason: str | None = None
